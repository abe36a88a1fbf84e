// Plan: a flow compiled for this machine's SIMD instructions, to be computed on one
// tile of rows after another, within the first caches.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "server/engine/program.h"
#include "server/engine/workspace.h"
#include "server/flows/flow.h"
#include "server/flows/flow_spec.h"

namespace sluiced::engine {

// T is the spec's dtype: float or double. Const methods are thread-safe and compute
// on the calling thread, in a workspace of its own; they allocate nothing once the
// workspace has grown. Rows come in row-major, [n, dim + context_dim], n >= 0, and come
// out as [n, dim]; other spans hold one number a row. A row's bits depend on neither the other rows
// nor its place among them. Where numbers overflow the results are those of flows::Flow.
template <typename T>
class Plan {
 public:
  // spec: valid, and the engine's (flows::IsInEngine). standardization: as
  // flows::CheckStandardization has it. parameters:
  // [ParameterCount(spec)]; copied.
  Plan(const flows::FlowSpec& spec, const flows::Standardization& standardization,
       std::span<const T> parameters, Gradients gradients = Gradients::kNo);

  // Other parameters from here on, piece by piece; no other call may run meanwhile,
  // but for those of other pieces. After PackFor::kDensities neither
  // FromBase, Sample nor Draw may follow.
  int64_t pieces() const { return static_cast<int64_t>(program_->pieces()); }
  void UpdatePiece(int64_t piece, std::span<const T> parameters, PackFor what = PackFor::kAll);

  // log q(x); -inf where it overflows, never NaN.
  void LogProb(std::span<const T> x, std::span<T> log_prob, Workspace<T>& workspace) const;

  // The map's image and its log|det J|.
  void ToBase(std::span<const T> x, std::span<T> z, std::span<T> ladj,
              Workspace<T>& workspace) const;
  void FromBase(std::span<const T> z, std::span<T> x, std::span<T> ladj,
                Workspace<T>& workspace) const;

  // Rows first_row, first_row + 1, ... of the endless sample of `seed`, as many as
  // log_prob has room for; the base draws are flows::Flow::Sample's. context: that of
  // each row, [n, context_dim].
  void Sample(uint64_t seed, int64_t first_row, std::span<const T> context, std::span<T> x,
              std::span<T> log_prob, Workspace<T>& workspace) const;
  // The same of normals [n, normals()], of flows without context.
  void Draw(std::span<const T> normals, std::span<T> x, std::span<T> log_prob,
            Workspace<T>& workspace) const;

  int64_t dim() const { return dim_; }
  // Numbers of a row that comes in.
  int64_t row() const { return dim_ + context_; }
  // Normal numbers that a draw is made of.
  int64_t normals() const { return normals_; }
  int64_t parameters() const { return parameters_; }
  int64_t tile_rows() const { return static_cast<int64_t>(program_->tile_rows()); }
  // Weights that a row meets, a multiply-add each: what the masks leave.
  int64_t multiply_adds() const { return multiply_adds_; }
  const Program<T>& program() const { return *program_; }

 private:
  size_t RowsOf(std::span<const T> rows) const;

  int64_t dim_, context_, normals_, parameters_, multiply_adds_;
  std::unique_ptr<Program<T>> program_;
};

extern template class Plan<float>;
extern template class Plan<double>;

}  // namespace sluiced::engine
