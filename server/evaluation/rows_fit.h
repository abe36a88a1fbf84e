// How well a flow fits rows. No LibTorch here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/evaluation/calibration.h"
#include "server/evaluation/flow_rows.h"
#include "server/evaluation/mean_error.h"
#include "server/evaluation/two_sample_test.h"
#include "server/flows/flow.h"

namespace sluiced::evaluation {

struct RowsFit {
  int64_t rows = 0, draws = 0;   // draws: of all together.
  int64_t draws_not_finite = 0;  // Of these: they overflowed.
  MeanError log_likelihood;      // Of the rows that have a density.
  int64_t without_density = 0;   // Rows where the flow has none: it gives them probability 0.
  TwoSampleTest two_sample;
  // Of each column where the rows stand among the draws: `ks` is that of two samples.
  std::vector<Uniformity> columns;
  // Of conditional flows: of each column where a row stands among the draws at its own
  // context alone.
  std::vector<Uniformity> calibration;
  Coverage coverage;
};

// Of rows [n, RowColumns(spec)] of the flow's dtype, n >= 1: against `draws` >= 1 draws
// of the flow, of conditional flows as many at the context of each row. A pure function
// of its arguments.
absl::StatusOr<RowsFit> FitOfRows(const flows::Flow& flow, const Array& rows, int64_t draws,
                                  uint64_t seed, const KeepGoing& keep_going);

}  // namespace sluiced::evaluation
