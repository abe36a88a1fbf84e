#include "server/flows/flow.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/check.h"
#include "server/common/errors.h"
#include "server/common/philox.h"
#include "server/common/status_macros.h"
#include "server/flows/base_draws.h"
#include "server/flows/catch_torch.h"
#include "server/flows/parameters.h"
#include "server/flows/torch_flow.h"

namespace sluiced::flows {
namespace {

// Everything is computed in blocks of one size, the last one filled up with zeros:
// a kernel may round differently for another number of rows, and so a row would
// depend on its neighbours. Enough rows to outweigh the cost of starting each
// operation, few enough that the block stays in the cache and one row alone is not
// slow in a large flow.
int64_t BlockRows(const FlowSpec& spec) {
  constexpr int64_t kLeast = 16, kMost = 256, kMultiplications = int64_t{1} << 23;
  int64_t rows = kMost;
  while (rows > kLeast && rows * ParameterCount(spec) > kMultiplications) rows /= 2;
  return rows;
}

// The array's own numbers, to be read alone and only while the array lives: a large flow
// is not to be held twice.
torch::Tensor ViewOf(const Array& array) {
  return torch::from_blob(const_cast<std::byte*>(array.bytes().data()), array.shape(),
                          ScalarTypeOf(array.dtype()));
}

template <typename T>
bool AllFinite(std::span<const T> numbers) {
  return std::ranges::all_of(numbers, [](T v) { return std::isfinite(v); });
}

bool AllFinite(const Array& array) {
  return array.dtype() == DType::kFloat32 ? AllFinite(array.as<float>())
                                          : AllFinite(array.as<double>());
}

absl::Status Check(const FlowState& state) {
  RETURN_IF_ERROR(PrefixField("spec", Validate(state.spec)));
  const Array& parameters = state.parameters;
  if (parameters.dtype() != state.spec.dtype) {
    return FieldError("parameters", "are of another dtype than the spec's");
  }
  const int64_t count = ParameterCount(state.spec);
  if (parameters.shape() != std::vector<int64_t>{count}) {
    return FieldError("parameters",
                      absl::StrCat("are ", parameters.size(), " numbers where ", count, " belong"));
  }
  if (!AllFinite(parameters)) return FieldError("parameters", "hold a number that is not finite");
  return CheckStandardization(state.spec, state.standardization);
}

// NaN and +inf arise from overflow alone: such a point has no density here.
template <typename T>
void ReplaceOverflow(std::span<T> log_prob) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  for (T& value : log_prob) {
    if (!(value < kInfinity)) value = -kInfinity;
  }
}

void ReplaceOverflow(Array& log_prob) {
  if (log_prob.dtype() == DType::kFloat32) {
    ReplaceOverflow(log_prob.as<float>());
  } else {
    ReplaceOverflow(log_prob.as<double>());
  }
}

// `count` rows of `block`, from row `skip`, into `out` from row `first`.
void CopyRows(const torch::Tensor& block, int64_t skip, int64_t count, Array& out, int64_t first) {
  const torch::Tensor rows = block.contiguous();
  const auto row_bytes = static_cast<size_t>(rows.numel() / rows.size(0)) * SizeOf(out.dtype());
  SLUICED_CHECK(rows.element_size() == static_cast<int64_t>(SizeOf(out.dtype())));
  const auto* from = static_cast<const std::byte*>(rows.data_ptr());
  std::memcpy(out.bytes().data() + static_cast<size_t>(first) * row_bytes,
              from + static_cast<size_t>(skip) * row_bytes, static_cast<size_t>(count) * row_bytes);
}

class ReferenceFlow : public Flow {
 public:
  explicit ReferenceFlow(FlowState state)
      : state_(std::move(state)),
        block_rows_(BlockRows(state_.spec)),
        net_(state_.spec, state_.standardization),
        bound_(net_.Bind(ViewOf(state_.parameters))) {}

  const FlowState& state() const override { return state_; }

  absl::StatusOr<Images> ToBase(const Array& x, KeepLayers keep) const override {
    return Map("to_base", x, keep,
               [&](const torch::Tensor& block) { return net_.ToBase(bound_, block, keep); });
  }

  absl::StatusOr<Images> FromBase(const Array& z, KeepLayers keep) const override {
    return Map("from_base", z, keep,
               [&](const torch::Tensor& block) { return net_.FromBase(bound_, block, keep); });
  }

  absl::StatusOr<Array> LogProb(const Array& x) const override {
    return CatchTorch("log_prob", [&]() -> absl::StatusOr<Array> {
      const torch::InferenceMode guard;
      Array log_prob(state_.spec.dtype, {x.rows()});
      for (int64_t first = 0; first < x.rows(); first += block_rows_) {
        const int64_t count = std::min(block_rows_, x.rows() - first);
        const torch::Tensor block = net_.LogProb(bound_, BlockOf(x, first, count));
        CopyRows(block, 0, count, log_prob, first);
      }
      ReplaceOverflow(log_prob);
      return log_prob;
    });
  }

  absl::StatusOr<Samples> Sample(int64_t n, uint64_t seed, int64_t first_row,
                                 const Array& context) const override {
    RETURN_IF_ERROR(CheckSampleRange(state_.spec, n, first_row));
    SLUICED_CHECK(state_.spec.context_dim == 0 ||
                  (context.rows() == n && context.dtype() == state_.spec.dtype));
    const std::vector<int64_t> shape = {n, state_.spec.dim};
    return CatchTorch("sample", [&]() -> absl::StatusOr<Samples> {
      const torch::InferenceMode guard;
      Samples samples = {Array(state_.spec.dtype, shape), Array(state_.spec.dtype, {n})};
      for (int64_t row = first_row; row < first_row + n;) {
        // Blocks lie on absolute rows, so that a row has one place in one block.
        const int64_t skip = row % block_rows_;
        const int64_t count = std::min(block_rows_ - skip, first_row + n - row);
        SampleBlock(seed, row, skip, count, row - first_row, context, samples);
        row += count;
      }
      ReplaceOverflow(samples.log_prob);
      return samples;
    });
  }

 private:
  torch::Tensor EmptyBlock(int64_t columns) const {
    return torch::zeros({block_rows_, columns}, ScalarTypeOf(state_.spec.dtype));
  }

  // Rows [first, first + count) of `rows` as those from `skip` on of a block.
  void CopyIn(const Array& rows, int64_t first, int64_t count, int64_t skip,
              torch::Tensor& block) const {
    SLUICED_CHECK(rows.dtype() == state_.spec.dtype && rows.cols() == block.size(1));
    const size_t row_bytes = static_cast<size_t>(rows.cols()) * SizeOf(rows.dtype());
    std::memcpy(static_cast<std::byte*>(block.data_ptr()) + static_cast<size_t>(skip) * row_bytes,
                rows.bytes().data() + static_cast<size_t>(first) * row_bytes,
                static_cast<size_t>(count) * row_bytes);
  }

  torch::Tensor BlockOf(const Array& rows, int64_t first, int64_t count) const {
    torch::Tensor block = EmptyBlock(RowColumns(state_.spec));
    CopyIn(rows, first, count, 0, block);
    return block;
  }

  template <typename Block>
  absl::StatusOr<Images> Map(absl::string_view what, const Array& points, KeepLayers keep,
                             Block&& map_block) const {
    return CatchTorch(what, [&]() -> absl::StatusOr<Images> {
      const torch::InferenceMode guard;
      const int64_t n = points.rows();
      const DType dtype = state_.spec.dtype;
      const Array empty(dtype, {n, state_.spec.dim});
      Images images = {empty, Array(dtype, {n}), {}};
      const int64_t kept = keep == KeepLayers::kYes ? state_.spec.layers : 0;
      images.layers.assign(static_cast<size_t>(kept), empty);
      for (int64_t first = 0; first < n; first += block_rows_) {
        const int64_t count = std::min(block_rows_, n - first);
        const TorchFlow::Result block = map_block(BlockOf(points, first, count));
        CopyRows(block.values, 0, count, images.values, first);
        CopyRows(block.ladj, 0, count, images.ladj, first);
        for (size_t layer = 0; layer < images.layers.size(); ++layer) {
          CopyRows(block.layers[layer], 0, count, images.layers[layer], first);
        }
      }
      return images;
    });
  }

  // Draws rows [row, row + count), which begin at `skip` of their block, and writes
  // them from row `first` of `samples`, where their context is in `context`.
  void SampleBlock(uint64_t seed, int64_t row, int64_t skip, int64_t count, int64_t first,
                   const Array& context, Samples& samples) const {
    torch::Tensor rows = BaseBlock(seed, row, skip, count);
    const torch::Tensor log_base = net_.base().LogProb(bound_.base, rows);
    if (state_.spec.context_dim > 0) {
      torch::Tensor given = EmptyBlock(state_.spec.context_dim);
      CopyIn(context, first, count, skip, given);
      rows = torch::cat({rows, given}, 1);
    }
    const TorchFlow::Result image = net_.FromBase(bound_, rows);
    CopyRows(image.values, skip, count, samples.x, first);
    CopyRows(log_base - image.ladj, skip, count, samples.log_prob, first);
  }

  torch::Tensor BaseBlock(uint64_t seed, int64_t row, int64_t skip, int64_t count) const {
    const int64_t columns = NormalColumns(state_.spec);
    torch::Tensor normals = EmptyBlock(columns);
    const auto size = static_cast<size_t>(count * columns);
    if (state_.spec.dtype == DType::kFloat32) {
      NormalRows(seed, Stream::kSample, 0, row, columns,
                 std::span(normals.data_ptr<float>() + skip * columns, size));
    } else {
      NormalRows(seed, Stream::kSample, 0, row, columns,
                 std::span(normals.data_ptr<double>() + skip * columns, size));
    }
    return net_.base().FromNormals(bound_.base, normals);
  }

  const FlowState state_;
  const int64_t block_rows_;
  const TorchFlow net_;
  const TorchFlow::Bound bound_;  // Of state_'s parameters.
};

}  // namespace

absl::Status CheckSampleRange(const FlowSpec& spec, int64_t n, int64_t first_row) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 2;
  if (n < 0) return FieldError("n", "is negative");
  if (first_row < 0 || first_row > kMost - n) {
    return FieldError("first_row", "is negative, or overflows with n");
  }
  const std::vector<int64_t> shape = {n, spec.dim};
  return CheckedByteSize(shape, spec.dtype).status();
}

absl::StatusOr<std::shared_ptr<const Flow>> Flow::Create(FlowState state) {
  RETURN_IF_ERROR(Check(state));
  return CatchTorch("flow", [&]() -> absl::StatusOr<std::shared_ptr<const Flow>> {
    const torch::InferenceMode guard;
    return std::make_shared<const ReferenceFlow>(std::move(state));
  });
}

}  // namespace sluiced::flows
