// What an inference call computes: a flow over rows, block by block, so that idle
// threads help and a caller who leaves stops the work, with a mask of the rows that
// came out not finite.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
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

// Of what one call asks for.
enum class Load {
  kTiny,   // Microseconds: less than it takes to wake a thread.
  kBlock,  // One block: at most some milliseconds.
  kLarge,  // Many.
};
Load LoadOf(const flows::Flow& flow, int64_t rows);
int64_t BlockRows(const flows::Flow& flow);  // Of one block.

using FlowPtr = std::shared_ptr<const flows::Flow>;
template <typename Result>
using Done = std::function<void(absl::StatusOr<Result>)>;

// Each calls `done` once: before it returns where one block is all, else on a thread of
// `compute`, whose threads share the blocks. The result is the flow's error, or
// `caller`'s as soon as nobody waits. Rows as flows::Flow demands them: of the flow's
// dtype, [n, RowColumns], finite.
void LogProb(FlowPtr flow, Array x, const Caller& caller, Executor* compute, Done<Scores> done);
void Transform(FlowPtr flow, Map map, Array points, flows::KeepLayers keep, const Caller& caller,
               Executor* compute, Done<MappedRows> done);
// Rows [first_row, first_row + rows) of `seed`; no overflow in that sum. context: of the
// flow's dtype, [rows, context_dim], or [1, context_dim] for all; of flows without
// context any.
void Sample(FlowPtr flow, int64_t rows, uint64_t seed, int64_t first_row, Array context,
            const Caller& caller, Executor* compute, Done<Draws> done);

// What LogProb makes of the numbers.
Mask NotFinite(std::initializer_list<const Array*> arrays);

}  // namespace sluiced::serving
