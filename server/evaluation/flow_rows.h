// Rows in and out of a flow, block by block, and the pieces of rows. No LibTorch here.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/common/array_parts.h"
#include "server/flows/flow.h"
#include "server/targets/target.h"

namespace sluiced::evaluation {

// Asked every few milliseconds of computing: an error, of which nobody waits for the
// result any more, ends it and is the result.
using KeepGoing = std::function<absl::Status()>;

// Flow::Sample and Flow::LogProb of any number of rows.
absl::StatusOr<flows::Samples> DrawRows(const flows::Flow& flow, int64_t n, uint64_t seed,
                                        int64_t first_row, const Array& context,
                                        const KeepGoing& keep_going);
absl::StatusOr<std::vector<double>> ScoreRows(const flows::Flow& flow, const Array& rows,
                                              const KeepGoing& keep_going);
// Flow::ToBase and Flow::FromBase; values and ladj alone.
enum class Space { kData, kBase };
absl::StatusOr<flows::Images> MapRows(const flows::Flow& flow, Space from, const Array& rows,
                                      const KeepGoing& keep_going);
// Target::Evaluate; x in either dtype.
absl::StatusOr<std::vector<double>> TargetDensity(const targets::Target& target, const Array& x,
                                                  const KeepGoing& keep_going);

// Rows [n, RowColumns(spec)] with the values of periodic columns turned into [low, high),
// where draws lie.
void WrapCircles(const flows::FlowSpec& spec, Array* rows);

std::vector<double> ColumnOf(const Array& from, int64_t column);
std::vector<double> ToDoubles(const Array& from);
std::vector<int64_t> FiniteRowsOf(const flows::Samples& samples);

// `wanted` of the numbers 0 to count - 1, ascending, a pure function of its arguments;
// all of them where there are no more.
std::vector<int64_t> ChooseRows(int64_t count, int64_t wanted, uint64_t seed);

// The rows that are kept where each is with the probability weight / greatest weight: an
// independent sample in proportion to the weights, ascending, without copies. weights:
// >= 0, not all 0.
std::vector<int64_t> KeepByWeight(std::span<const double> weights, uint64_t seed);

// Substreams of Stream::kEvaluate; training has the first two.
enum Substream : uint32_t {
  kChosenRows = 2,
  kTies,
  kFoldOrder,
  kClassifier,
  kTypicalContext,
  kCells,
  kResampling,
  kAcceptance,
  kKeptByWeight,
};

}  // namespace sluiced::evaluation
