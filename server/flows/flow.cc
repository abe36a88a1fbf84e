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
#include "server/flows/catch_torch.h"
#include "server/flows/parameters.h"
#include "server/flows/real_nvp.h"

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
  const auto type = array.dtype() == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
  return torch::from_blob(const_cast<std::byte*>(array.bytes().data()), array.shape(), type);
}

template <typename T>
bool AllFinite(std::span<const T> numbers) {
  return std::ranges::all_of(numbers, [](T v) { return std::isfinite(v); });
}

bool AllFinite(const Array& array) {
  return array.dtype() == DType::kFloat32 ? AllFinite(array.as<float>())
                                          : AllFinite(array.as<double>());
}

// What does not fit, or is lost in, the flow's numbers cannot be divided by.
bool IsUsableScale(double scale, DType dtype) {
  const double seen = dtype == DType::kFloat32 ? static_cast<float>(scale) : scale;
  return std::isfinite(seen) && seen > 0;
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
  const Standardization& map = state.standardization;
  const auto dim = map.empty() && map.scale.empty() ? 0 : static_cast<size_t>(state.spec.dim);
  if (map.shift.size() != dim || map.scale.size() != dim) {
    return FieldError("standardization", "has not one shift and scale a column");
  }
  const bool usable =
      AllFinite(std::span(map.shift)) &&
      std::ranges::all_of(map.scale, [&](double s) { return IsUsableScale(s, state.spec.dtype); });
  if (!usable) return FieldError("standardization", "holds a number that cannot be used");
  return absl::OkStatus();
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

class RealNvpFlow : public Flow {
 public:
  explicit RealNvpFlow(FlowState state)
      : state_(std::move(state)),
        block_rows_(BlockRows(state_.spec)),
        net_(state_.spec, state_.standardization),
        conditioners_(state_.spec, ViewOf(state_.parameters)) {}

  const FlowState& state() const override { return state_; }

  absl::StatusOr<Images> ToBase(const Array& x, KeepLayers keep) const override {
    return Map("to_base", x, keep,
               [&](const torch::Tensor& block) { return net_.ToBase(conditioners_, block, keep); });
  }

  absl::StatusOr<Images> FromBase(const Array& z, KeepLayers keep) const override {
    return Map("from_base", z, keep, [&](const torch::Tensor& block) {
      return net_.FromBase(conditioners_, block, keep);
    });
  }

  absl::StatusOr<Array> LogProb(const Array& x) const override {
    return CatchTorch("log_prob", [&]() -> absl::StatusOr<Array> {
      const torch::InferenceMode guard;
      Array log_prob(state_.spec.dtype, {x.rows()});
      for (int64_t first = 0; first < x.rows(); first += block_rows_) {
        const int64_t count = std::min(block_rows_, x.rows() - first);
        const torch::Tensor block = net_.LogProb(conditioners_, BlockOf(x, first, count));
        CopyRows(block, 0, count, log_prob, first);
      }
      ReplaceOverflow(log_prob);
      return log_prob;
    });
  }

  absl::StatusOr<Samples> Sample(int64_t n, uint64_t seed, int64_t first_row) const override {
    RETURN_IF_ERROR(CheckSampleRange(state_.spec, n, first_row));
    const std::vector<int64_t> shape = {n, state_.spec.dim};
    return CatchTorch("sample", [&]() -> absl::StatusOr<Samples> {
      const torch::InferenceMode guard;
      Samples samples = {Array(state_.spec.dtype, shape), Array(state_.spec.dtype, {n})};
      for (int64_t row = first_row; row < first_row + n;) {
        // Blocks lie on absolute rows, so that a row has one place in one block.
        const int64_t skip = row % block_rows_;
        const int64_t count = std::min(block_rows_ - skip, first_row + n - row);
        SampleBlock(seed, row, skip, count, row - first_row, samples);
        row += count;
      }
      ReplaceOverflow(samples.log_prob);
      return samples;
    });
  }

 private:
  torch::Tensor EmptyBlock() const {
    const auto type = state_.spec.dtype == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
    return torch::zeros({block_rows_, state_.spec.dim}, type);
  }

  torch::Tensor BlockOf(const Array& rows, int64_t first, int64_t count) const {
    SLUICED_CHECK(rows.dtype() == state_.spec.dtype && rows.cols() == state_.spec.dim);
    torch::Tensor block = EmptyBlock();
    const size_t row_bytes = static_cast<size_t>(rows.cols()) * SizeOf(rows.dtype());
    std::memcpy(block.data_ptr(), rows.bytes().data() + static_cast<size_t>(first) * row_bytes,
                static_cast<size_t>(count) * row_bytes);
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
        const RealNvp::Result block = map_block(BlockOf(points, first, count));
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
  // them from row `first` of `samples`.
  void SampleBlock(uint64_t seed, int64_t row, int64_t skip, int64_t count, int64_t first,
                   Samples& samples) const {
    torch::Tensor z = EmptyBlock();
    const int64_t dim = state_.spec.dim;
    const auto size = static_cast<size_t>(count * dim);
    if (state_.spec.dtype == DType::kFloat32) {
      NormalRows(seed, Stream::kSample, 0, row, dim,
                 std::span(z.data_ptr<float>() + skip * dim, size));
    } else {
      NormalRows(seed, Stream::kSample, 0, row, dim,
                 std::span(z.data_ptr<double>() + skip * dim, size));
    }
    const RealNvp::Result image = net_.FromBase(conditioners_, z);
    CopyRows(image.values, skip, count, samples.x, first);
    CopyRows(StandardNormalLogProb(z) - image.ladj, skip, count, samples.log_prob, first);
  }

  const FlowState state_;
  const int64_t block_rows_;
  const RealNvp net_;
  const ConditionerViews conditioners_;  // Of state_'s parameters.
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
    return std::make_shared<const RealNvpFlow>(std::move(state));
  });
}

}  // namespace sluiced::flows
