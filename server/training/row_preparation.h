// What is done to the rows of a dataset before a training. No LibTorch here.
#pragma once

#include <cstdint>
#include <string>
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

// Mean and standard deviation of the named rows of data [n, dim]. INVALID_ARGUMENT
// naming the column that is constant on them.
absl::StatusOr<flows::Standardization> FitStandardization(const Array& data,
                                                          const std::vector<int64_t>& rows);

// Why a density fitted to these rows may grow without bound, in sentences for
// people: many duplicated rows, columns that are constant or follow linearly from
// others. Looks at no more than the first 100,000 of the named rows.
std::vector<std::string> DegeneracyWarnings(const Array& data, const std::vector<int64_t>& rows);

}  // namespace sluiced::training
