// From the wire's messages to the public types. None of these fails: a field that
// a newer server left out or made up takes its default.
#pragma once

#include "sluice/evaluation.h"
#include "sluice/types.h"
#include "sluice/v1/dataset.pb.h"
#include "sluice/v1/evaluation.pb.h"
#include "sluice/v1/flow.pb.h"
#include "sluice/v1/model.pb.h"
#include "sluice/v1/server.pb.h"
#include "sluice/v1/training.pb.h"

namespace sluice {

FlowSpec DecodeSpec(const v1::FlowSpec& in);
Model DecodeModel(const v1::Model& in);
Version DecodeVersion(const v1::Version& in);
Dataset DecodeDataset(const v1::Dataset& in);
Toy DecodeToy(const v1::Toy& in);
Target DecodeTarget(const v1::Target& in);
TrainConfig DecodeConfig(const v1::TrainConfig& in);
TrainUpdate DecodeUpdate(const v1::TrainUpdate& in);
TrainJob DecodeJob(const v1::TrainJob& in);
JobState DecodeState(v1::JobState state);
Statistics DecodeStatistics(const v1::Statistics& in);
Evaluation DecodeEvaluation(const v1::EvaluateResponse& in);
SelfTestReport DecodeSelfTest(const v1::SelfTestResponse& in);
WeightStatistics DecodeWeights(const v1::Weights& in);

}  // namespace sluice
