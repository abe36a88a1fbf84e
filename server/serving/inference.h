// What an inference call computes: a flow over rows, block by block, so that idle
// threads help and a caller who leaves stops the work, with a mask of the rows that
// came out not finite.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/flows/flow.h"
#include "server/serving/caller.h"
#include "server/serving/executor.h"

namespace sluiced::serving {

// One byte a row: 1 where a number of the row is not finite. Empty when all are.
using Mask = std::string;

struct Scores {
  Array log_prob;  // [n]
  Mask not_finite;
};
struct Draws {
  Array x;         // [n, dim]
  Array log_prob;  // [n]
  Mask not_finite;
};
struct MappedRows {
  Array values;               // [n, dim]
  Array ladj;                 // [n]
  std::vector<Array> layers;  // [n, dim] each, on request.
  Mask not_finite;
};
enum class Map { kToBase, kFromBase };

// All block, on a thread of `compute`, whose idle threads help, and fail with the
// flow's errors or with `caller`'s as soon as nobody waits. Rows as flows::Flow demands
// them: of the flow's dtype, [n, dim], finite.
absl::StatusOr<Scores> LogProb(const flows::Flow& flow, const Array& x, const Caller& caller,
                               Executor* compute);
absl::StatusOr<MappedRows> Transform(const flows::Flow& flow, Map map, const Array& points,
                                     flows::KeepLayers keep, const Caller& caller,
                                     Executor* compute);
// Rows [first_row, first_row + rows) of `seed`; no overflow in that sum.
absl::StatusOr<Draws> Sample(const flows::Flow& flow, int64_t rows, uint64_t seed,
                             int64_t first_row, const Caller& caller, Executor* compute);

}  // namespace sluiced::serving
