// The interface between the engine's plans and its kernels: one flow, compiled for
// one SIMD target. Private to the engine.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "server/flows/flow.h"
#include "server/flows/flow_spec.h"

namespace sluiced::engine {

enum class Gradients { kNo, kYes };

// What parameters are packed for: densities of given rows need the way to the base alone.
enum class PackFor { kDensities, kAll };

// Where results go; null: not wanted.
template <typename T>
struct Outputs {
  T* values = nullptr;    // [rows, dim]
  T* ladj = nullptr;      // [rows]
  T* log_prob = nullptr;  // [rows], of x; -inf where it overflows.
};

// d log p / dx for a few rows x [rows, dim] into slope [rows, dim]. first_row is
// the first one's place among all rows of the call.
template <typename T>
using SlopeFunction =
    std::function<void(size_t first_row, std::span<const T> x, std::span<T> slope)>;

// A call's share of a sum over rows: adds to `sums` [parameters], zero at first, each
// row weighing `weight`. Returns the sum of the rows' losses, in float64.
template <typename T>
struct Share {
  size_t first_row, rows;
  T weight;
  T* sums;
  T* scratch;  // GradientScratch() numbers, aligned to kAlignment.
};

// Const methods may run on many threads at once, each with scratch of its own. No
// method allocates but the constructor.
template <typename T>
class Program {
 public:
  virtual ~Program() = default;

  // Takes over the parameters of one of the pieces; those of different pieces may be
  // packed at once. After PackFor::kDensities neither FromBase, Draw nor ReverseKl may follow.
  virtual size_t pieces() const = 0;
  virtual void Pack(size_t piece, const T* parameters, PackFor what) = 0;

  virtual size_t tile_rows() const = 0;  // Rows that are computed together, at most.
  virtual size_t Scratch() const = 0;    // Numbers, for ToBase and FromBase.
  // x, z: rows with their context behind them.
  virtual void ToBase(const T* x, size_t rows, const Outputs<T>& out, T* scratch) const = 0;
  virtual void FromBase(const T* z, size_t rows, const Outputs<T>& out, T* scratch) const = 0;
  // FromBase of draws made of normals [rows, NormalColumns(spec)]; context [rows,
  // context_dim], null without any.
  virtual void Draw(const T* normals, const T* context, size_t rows, const Outputs<T>& out,
                    T* scratch) const = 0;

  // Only for programs with gradients.
  virtual size_t GradientScratch() const = 0;
  // Loss of a row: -log q(x). x is the first row of the share.
  virtual double Likelihood(const T* x, const Share<T>& share) const = 0;
  // Loss of a row: log q(x) of draws x made of normals; the gradient is that of log q -
  // log p. Of flows without context.
  virtual double ReverseKl(const T* normals, bool with_score, const SlopeFunction<T>& slope,
                           const Share<T>& share) const = 0;
};

// For the best SIMD target of this machine.
template <typename T>
std::unique_ptr<Program<T>> MakeProgram(const flows::FlowSpec& spec,
                                        const flows::Standardization& standardization,
                                        Gradients gradients);

}  // namespace sluiced::engine
