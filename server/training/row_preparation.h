// What is done to the rows of a dataset before a training. No LibTorch here.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/flows/flow.h"

namespace sluiced::training {

struct Split {
  std::vector<int64_t> train, validation;  // Row numbers, ascending.
};
// A pure function of its arguments: floor(rows * fraction) rows are held out, at
// least one where the fraction is not 0. INVALID_ARGUMENT when fewer than two are
// left to train on.
absl::StatusOr<Split> SplitRows(int64_t rows, double validation_fraction, uint64_t seed);

// `rows` in the order of epoch `epoch` (Fisher-Yates).
std::vector<int64_t> ShuffledOrder(int64_t rows, uint64_t seed, int64_t epoch);

// Mean and standard deviation, over the named rows of data [n, RowColumns(spec)], of
// every column where the flow begins with it, and of the context. INVALID_ARGUMENT
// naming the column of x that is constant on them.
absl::StatusOr<flows::Standardization> FitStandardization(const flows::FlowSpec& spec,
                                                          const Array& data,
                                                          const std::vector<int64_t>& rows);

// As many row numbers as there are weights, ascending, row i in proportion to its weight
// but for less than one (systematic resampling), so that plain means over them are
// weighted ones. weights: >= 0, not all 0.
std::vector<int64_t> WeightedOrder(const std::vector<double>& weights, uint64_t seed,
                                   int64_t epoch);

}  // namespace sluiced::training
