#include "client/cli/term/evaluation_view.h"

#include <string>
#include <utility>
#include <vector>

#include "client/cli/term/format.h"
#include "client/cli/term/listing.h"

namespace sluice::cli {
namespace {

Json MeanJson(const MeanError& mean) { return {{"mean", mean.mean}, {"error", mean.error}}; }

Json RanksJson(const Ranks& ranks) {
  return {{"column", ranks.column},
          {"ks_distance", ranks.ks_distance},
          {"p_value", ranks.p_value},
          {"counts", ranks.counts}};
}

Json RanksJson(const std::vector<Ranks>& columns) {
  Json json = Json::array();
  for (const Ranks& ranks : columns) json.push_back(RanksJson(ranks));
  return json;
}

Json FitJson(const DatasetFit& fit) {
  Json json{{"origin", NameOf(fit.origin)},
            {"rows", fit.rows},
            {"draws", fit.draws},
            {"log_likelihood", MeanJson(fit.log_likelihood)},
            {"rows_without_density", fit.rows_without_density}};
  json["two_sample"] = {{"accuracy", MeanJson(fit.two_sample_accuracy)},
                        {"p_value", fit.two_sample_p_value},
                        {"rows_each", fit.two_sample_rows}};
  json["columns"] = RanksJson(fit.columns);
  if (!fit.calibration.empty()) json["calibration"] = RanksJson(fit.calibration);
  for (const Coverage& coverage : fit.coverage) {
    json["coverage"].push_back(
        {{"level", coverage.level}, {"covered", MeanJson(coverage.covered)}});
  }
  json["regions"] = RanksJson(fit.regions);
  return json;
}

Json FitJson(const TargetFit& fit) {
  const WeightStatistics& weights = fit.weights;
  Json json = Json::object();
  if (fit.kl) json["kl"] = MeanJson(*fit.kl);
  if (fit.log_z_known) json["log_z_known"] = *fit.log_z_known;
  json["weights"] = {{"draws", weights.draws}, {"outside", weights.outside}, {"ess", weights.ess}};
  if (weights.log_z) json["weights"]["log_z"] = MeanJson(*weights.log_z);
  if (weights.pareto_k) json["weights"]["pareto_k"] = *weights.pareto_k;
  json["weights"]["largest_share"] = weights.largest_share;
  return json;
}

std::string Percent(double share, int digits = 3) {
  return FormatNumber(100 * share, digits) + " %";
}

std::string MeanText(const MeanError& mean) {
  return FormatNumber(mean.mean, 5) + " \u00b1 " + FormatNumber(mean.error, 2);
}

std::string ShareText(const MeanError& share) {
  return FormatNumber(100 * share.mean, 3) + " \u00b1 " + FormatNumber(100 * share.error, 2) + " %";
}

std::string OriginText(RowsOrigin origin) {
  switch (origin) {
    case RowsOrigin::kHeldOut:
      return "held out by the version's training";
    case RowsOrigin::kOtherDataset:
      return "the version was not trained on this dataset";
    case RowsOrigin::kTrainedOn:
      return "the version was TRAINED on them or most of them";
    case RowsOrigin::kUnknown:
      break;
  }
  return "the version MAY have been trained on them";
}

std::string TwoSampleText(const DatasetFit& fit) {
  if (fit.two_sample_rows == 0) return "too few rows to be told apart";
  return "right of " + ShareText(fit.two_sample_accuracy) +
         " (chance: 50 %, p = " + FormatNumber(fit.two_sample_p_value, 2) + ") of " +
         FormatCount(fit.two_sample_rows) + " rows and as many draws";
}

std::string CoverageText(const DatasetFit& fit) {
  std::string text;
  for (const Coverage& coverage : fit.coverage) {
    if (!text.empty()) text += ", ";
    text += Percent(coverage.level) + ": " + ShareText(coverage.covered);
  }
  return text;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields FieldsOf(const DatasetFit& fit) {
  return {{"rows", FormatCount(fit.rows) + ", " + OriginText(fit.origin)},
          {"draws", FormatCount(fit.draws)},
          {"log-likelihood", MeanText(fit.log_likelihood) + " nats a row"},
          {"without density", FormatCount(fit.rows_without_density) + " rows"},
          {"classifier", TwoSampleText(fit)},
          {"coverage", CoverageText(fit)}};
}

void PrintColumns(const DatasetFit& fit) {
  Cells headings = {"COLUMN", "KS DISTANCE", "P VALUE"};
  if (!fit.calibration.empty()) {
    headings.insert(headings.end(), {"AT ITS CONTEXT: KS DISTANCE", "P VALUE"});
  }
  std::vector<Cells> rows;
  for (size_t i = 0; i < fit.columns.size(); ++i) {
    Cells row = {"x" + std::to_string(fit.columns[i].column + 1)};
    for (const std::vector<Ranks>* ranks : {&fit.columns, &fit.calibration}) {
      if (i >= ranks->size()) continue;
      row.push_back(FormatNumber((*ranks)[i].ks_distance, 3));
      row.push_back(FormatNumber((*ranks)[i].p_value, 2));
    }
    row.resize(headings.size());
    rows.push_back(std::move(row));
  }
  PrintTable(headings, rows);
}

Fields FieldsOf(const TargetFit& fit) {
  const WeightStatistics& weights = fit.weights;
  const std::string known =
      fit.log_z_known ? " (known: " + FormatNumber(*fit.log_z_known, 5) + ")" : "";
  return {{"KL", fit.kl ? MeanText(*fit.kl) + " nats" : "log Z is not known"},
          {"log Z", (weights.log_z ? MeanText(*weights.log_z) : "no weight") + known},
          {"effective draws",
           FormatCount(static_cast<int64_t>(weights.ess)) + " of " + FormatCount(weights.draws)},
          {"Pareto k", weights.pareto_k ? FormatNumber(*weights.pareto_k, 3) : "no tail"},
          {"largest weight", Percent(weights.largest_share, 2) + " of all"},
          {"off the support", FormatCount(weights.outside) + " draws"}};
}

}  // namespace

Json ToJson(const Evaluation& evaluation) {
  Json json{{"version", evaluation.version}, {"seed", evaluation.seed}};
  if (evaluation.dataset) json["dataset"] = FitJson(*evaluation.dataset);
  if (evaluation.target) json["target"] = FitJson(*evaluation.target);
  json["notes"] = evaluation.notes;
  return json;
}

Json ToJson(const SelfTestReport& report) {
  Json json{{"version", report.version}, {"seed", report.seed}, {"passed", report.passed}};
  for (const Law& law : report.laws) {
    json["laws"].push_back({{"law", law.name},
                            {"description", law.description},
                            {"checked", law.checked},
                            {"passed", law.passed},
                            {"measured", law.measured},
                            {"tolerance", law.tolerance}});
  }
  return json;
}

void PrintEvaluation(const Evaluation& evaluation, const std::string& against) {
  Fields fields = {{"model", evaluation.version},
                   {"against", against + ", seed " + std::to_string(evaluation.seed)}};
  if (evaluation.dataset) {
    for (auto& field : FieldsOf(*evaluation.dataset)) fields.push_back(std::move(field));
  }
  if (evaluation.target) {
    for (auto& field : FieldsOf(*evaluation.target)) fields.push_back(std::move(field));
  }
  PrintFields(fields);
  if (evaluation.dataset) PrintColumns(*evaluation.dataset);
}

void PrintSelfTest(const SelfTestReport& report) {
  std::vector<Cells> rows;
  for (const Law& law : report.laws) {
    const char* result = !law.checked ? "-" : law.passed ? "kept" : "BROKEN";
    rows.push_back({law.name, result, law.checked ? FormatNumber(law.measured, 3) : "-",
                    law.checked ? FormatNumber(law.tolerance, 3) : "-", law.description});
  }
  PrintTable({"LAW", "RESULT", "MEASURED", "AT MOST", "WHAT"}, rows);
}

std::string WeightsText(const WeightStatistics& weights) {
  return "Pareto k " +
         (weights.pareto_k ? FormatNumber(*weights.pareto_k, 3) : std::string("unknown: no tail")) +
         ", effective draws " + FormatCount(static_cast<int64_t>(weights.ess)) + " of " +
         FormatCount(weights.draws) + ", the largest weight " + Percent(weights.largest_share, 2) +
         " of all";
}

}  // namespace sluice::cli
