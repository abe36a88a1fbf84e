#include "server/engine/plan.h"

#include <algorithm>

#include "server/common/check.h"
#include "server/common/philox.h"
#include "server/engine/layout.h"
#include "server/flows/base_draws.h"
#include "server/flows/parameters.h"

namespace sluiced::engine {

template <typename T>
Plan<T>::Plan(const flows::FlowSpec& spec, const flows::Standardization& standardization,
              std::span<const T> parameters, Gradients gradients)
    : dim_(spec.dim),
      context_(spec.context_dim),
      normals_(flows::NormalColumns(spec)),
      parameters_(flows::ParameterCount(spec)),
      multiply_adds_(static_cast<int64_t>(LayoutOf(spec).MultiplyAdds())),
      program_(MakeProgram<T>(spec, standardization, gradients)) {
  for (int64_t piece = 0; piece < pieces(); ++piece) UpdatePiece(piece, parameters);
}

template <typename T>
void Plan<T>::UpdatePiece(int64_t piece, std::span<const T> parameters, PackFor what) {
  SLUICED_CHECK(parameters.size() == static_cast<size_t>(parameters_));
  program_->Pack(static_cast<size_t>(piece), parameters.data(), what);
}

template <typename T>
void Plan<T>::LogProb(std::span<const T> x, std::span<T> log_prob, Workspace<T>& workspace) const {
  const size_t rows = RowsOf(x);
  SLUICED_CHECK(log_prob.size() == rows);
  program_->ToBase(x.data(), rows, {.log_prob = log_prob.data()},
                   workspace.Take(program_->Scratch()));
}

template <typename T>
void Plan<T>::ToBase(std::span<const T> x, std::span<T> z, std::span<T> ladj,
                     Workspace<T>& workspace) const {
  const size_t rows = RowsOf(x);
  SLUICED_CHECK(z.size() == rows * static_cast<size_t>(dim_) && ladj.size() == rows);
  program_->ToBase(x.data(), rows, {.values = z.data(), .ladj = ladj.data()},
                   workspace.Take(program_->Scratch()));
}

template <typename T>
void Plan<T>::FromBase(std::span<const T> z, std::span<T> x, std::span<T> ladj,
                       Workspace<T>& workspace) const {
  const size_t rows = RowsOf(z);
  SLUICED_CHECK(x.size() == rows * static_cast<size_t>(dim_) && ladj.size() == rows);
  program_->FromBase(z.data(), rows, {.values = x.data(), .ladj = ladj.data()},
                     workspace.Take(program_->Scratch()));
}

template <typename T>
void Plan<T>::Sample(uint64_t seed, int64_t first_row, std::span<const T> context, std::span<T> x,
                     std::span<T> log_prob, Workspace<T>& workspace) const {
  const auto dim = static_cast<size_t>(dim_), given = static_cast<size_t>(context_);
  const auto numbers = static_cast<size_t>(normals_);
  const size_t rows = log_prob.size(), tile = program_->tile_rows();
  SLUICED_CHECK(x.size() == rows * dim && (given == 0 || context.size() == rows * given));
  T* scratch = workspace.Take(program_->Scratch() + tile * numbers);
  T* normals = scratch + program_->Scratch();
  for (size_t first = 0; first < rows; first += tile) {
    const size_t count = std::min(tile, rows - first);
    NormalRows<T>(seed, Stream::kSample, 0, first_row + static_cast<int64_t>(first), normals_,
                  std::span<T>(normals, count * numbers));
    program_->Draw(normals, given == 0 ? nullptr : context.data() + first * given, count,
                   {.values = x.data() + first * dim, .log_prob = log_prob.data() + first},
                   scratch);
  }
}

template <typename T>
void Plan<T>::Draw(std::span<const T> normals, std::span<T> x, std::span<T> log_prob,
                   Workspace<T>& workspace) const {
  const size_t rows = log_prob.size();
  SLUICED_CHECK(context_ == 0 && normals.size() == rows * static_cast<size_t>(normals_));
  SLUICED_CHECK(x.size() == rows * static_cast<size_t>(dim_));
  program_->Draw(normals.data(), nullptr, rows, {.values = x.data(), .log_prob = log_prob.data()},
                 workspace.Take(program_->Scratch()));
}

template <typename T>
size_t Plan<T>::RowsOf(std::span<const T> rows) const {
  const auto numbers = static_cast<size_t>(row());
  SLUICED_CHECK(rows.size() % numbers == 0);
  return rows.size() / numbers;
}

template class Plan<float>;
template class Plan<double>;

}  // namespace sluiced::engine
