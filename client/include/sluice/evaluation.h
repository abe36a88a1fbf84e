// What the server finds of how well a model fits: see sluice/v1/evaluation.proto.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/types.h"

namespace sluice {

struct MeanError {
  double mean = 0;
  double error = 0;  // Standard error.
};

// Whether the version was trained on the rows.
enum class RowsOrigin { kUnknown, kHeldOut, kOtherDataset, kTrainedOn };
const char* NameOf(RowsOrigin origin);  // "HELD_OUT"

// Where rows stand among draws.
struct Ranks {
  int64_t column = 0;
  double ks_distance = 0;
  double p_value = 1;
  std::vector<int64_t> counts;  // Of equal bins, from below all draws to above all.
};

struct Coverage {
  double level = 0;
  MeanError covered;
};

struct DatasetFit {
  RowsOrigin origin = RowsOrigin::kUnknown;
  int64_t rows = 0, draws = 0;
  MeanError log_likelihood;  // Nats a row.
  int64_t rows_without_density = 0;
  MeanError two_sample_accuracy;  // Of a classifier: 0.5 is chance.
  double two_sample_p_value = 1;
  int64_t two_sample_rows = 0;     // Of each kind; 0: too few for a test.
  std::vector<Ranks> columns;      // Of x, among all draws.
  std::vector<Ranks> calibration;  // Of x, at each row's context; conditional models alone.
  std::vector<Coverage> coverage;
  Ranks regions;  // By density.
};

struct WeightStatistics {
  int64_t draws = 0, outside = 0;
  std::optional<MeanError> log_z;
  double ess = 0;
  std::optional<double> pareto_k;
  double largest_share = 0;
  std::vector<double> tail;  // Logs of the largest weights, relative to the mean one.
};

struct TargetFit {
  std::optional<MeanError> kl;
  std::optional<double> log_z_known;
  WeightStatistics weights;
};

struct Evaluation {
  std::string version;  // "models/wow/versions/3"
  uint64_t seed = 0;
  std::optional<DatasetFit> dataset;  // One of the two.
  std::optional<TargetFit> target;
  std::vector<std::string> notes;  // What the numbers do not say.
};

struct Law {
  std::string name, description;
  bool checked = false, passed = false;
  double measured = 0, tolerance = 0;
};

struct SelfTestReport {
  std::string version;
  uint64_t seed = 0;
  bool passed = false;
  std::vector<Law> laws;
};

enum class Correction { kImportance, kResample, kMcmc };

struct CorrectedSamples {
  Matrix x;
  std::vector<double> log_weight;  // kImportance: normalised.
  std::string version;
  uint64_t seed = 0;
  WeightStatistics weights;
  int64_t distinct_rows = 0;
  std::optional<double> acceptance_rate;  // kMcmc.
  int64_t chains = 0, longest_stay = 0;   // Likewise.
  std::vector<std::string> notes;
};

}  // namespace sluice
