// C2ST: whether a classifier can tell two samples apart (Lopez-Paz and Oquab 2017,
// arXiv:1610.06545). No LibTorch here.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/evaluation/flow_rows.h"
#include "server/evaluation/mean_error.h"

namespace sluiced::evaluation {

struct TwoSampleTest {
  // Of the classifier on rows held out, over all folds: 0.5 where it cannot tell, 1
  // where it always can. The error is the binomial one.
  MeanError accuracy;
  double p_value = 1;     // Of an accuracy as high by chance; normal approximation.
  int64_t rows_each = 0;  // Of either sample.
  int64_t folds = 0;
};

inline constexpr int64_t kMostTestedRows = 5000;  // Of either sample.

// Of equal numbers of rows [n, columns] of both, the first ones, standardised by the
// first sample's mean and deviation; rows with a number that is not finite are dropped.
// No folds where fewer than ten of each are left.
absl::StatusOr<TwoSampleTest> TellApart(const Array& a, const Array& b, uint64_t seed,
                                        const KeepGoing& keep_going);

}  // namespace sluiced::evaluation
