// How well a model fits, for people and for programs, on stdout.
#pragma once

#include "client/cli/term/json_view.h"
#include "sluice/evaluation.h"

namespace sluice::cli {

// Field names are those of sluice/v1.
Json ToJson(const Evaluation& evaluation);
Json ToJson(const SelfTestReport& report);

// `against`: "dataset wow".
void PrintEvaluation(const Evaluation& evaluation, const std::string& against);
void PrintSelfTest(const SelfTestReport& report);

// "Pareto k 0.21, effective draws 8,123 of 10,000, the largest weight 0.1 % of all".
std::string WeightsText(const WeightStatistics& weights);

}  // namespace sluice::cli
