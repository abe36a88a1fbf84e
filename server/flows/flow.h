// Flow: an immutable normalising flow, ready to compute. No LibTorch type here:
// rows in, rows out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/flows/flow_spec.h"
#include "server/flows/standardization.h"

namespace sluiced::flows {

// Everything that defines a density.
struct FlowState {
  FlowSpec spec;
  Array parameters;  // [ParameterCount(spec)] of spec.dtype.
  Standardization standardization;
};

struct Images {
  Array values;  // [n, dim]
  Array ladj;    // [n], log|det J| of the map applied.
  // After every layer, in the order applied, each [n, dim]; only on request. In the
  // standardised space the layers work in, so that ToBase ends in z; the last one
  // of FromBase is mapped back to the data's space, so that it ends in x.
  std::vector<Array> layers;
};

struct Samples {
  Array x;         // [n, dim]
  Array log_prob;  // [n]
};

enum class KeepLayers { kNo, kYes };

// INVALID_ARGUMENT when Flow::Sample's n and first_row are negative, or their sum or
// the size of the sample overflows.
absl::Status CheckSampleRange(const FlowSpec& spec, int64_t n, int64_t first_row);

// Thread-safe: every method is const and may run on many threads at once, each
// computing on the calling thread. Arrays are of the spec's dtype.
// Rows go in as [n, RowColumns(spec)], x or z with its context behind it, finite,
// n >= 0: the caller has checked. They come out as [n, dim]. No memory is held beyond
// the results and one block of rows; RESOURCE_EXHAUSTED when they do not fit.
class Flow {
 public:
  // INVALID_ARGUMENT when the state contradicts itself (sizes, dtype, spec) or holds
  // a number that is not finite.
  static absl::StatusOr<std::shared_ptr<const Flow>> Create(FlowState state);
  virtual ~Flow() = default;

  virtual const FlowState& state() const = 0;

  // z, log|det dz/dx| of data rows x, and x, log|det dx/dz| of base rows z.
  // Overflow gives inf in values, never an error.
  virtual absl::StatusOr<Images> ToBase(const Array& x, KeepLayers keep) const = 0;
  virtual absl::StatusOr<Images> FromBase(const Array& z, KeepLayers keep) const = 0;

  // log q(x), [n], nats; -inf where it overflows or x lies outside of a column's support,
  // never NaN.
  virtual absl::StatusOr<Array> LogProb(const Array& x) const = 0;

  // Rows [first_row, first_row + n) of the endless sample of `seed`: on one machine,
  // row i has the same bits whatever n and first_row. log_prob is -inf, never NaN,
  // where x overflows. context: [n, context_dim], that of row first_row first; without
  // context of any shape. INVALID_ARGUMENT for a negative n or first_row, or a sum of
  // them that overflows.
  virtual absl::StatusOr<Samples> Sample(int64_t n, uint64_t seed, int64_t first_row,
                                         const Array& context) const = 0;
  absl::StatusOr<Samples> Sample(int64_t n, uint64_t seed, int64_t first_row) const {
    return Sample(n, seed, first_row, Array());
  }
};

}  // namespace sluiced::flows
