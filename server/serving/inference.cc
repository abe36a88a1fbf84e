#include "server/serving/inference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "server/common/status_macros.h"

namespace sluiced::serving {
namespace {

// Multiply-adds between two looks at the caller: some tens of milliseconds.
constexpr int64_t kBlockWork = int64_t{1} << 29;
constexpr int64_t kMaxBlockRows = 65536;

int64_t BlockRows(const flows::Flow& flow) {
  const int64_t work_per_row = std::max<int64_t>(flow.state().parameters.size(), 1);
  return std::clamp<int64_t>(kBlockWork / work_per_row, 1, kMaxBlockRows);
}

// Calls compute(first, count) for blocks that cover [0, rows): at least once.
template <typename ComputeBlock>
absl::Status ForBlocks(int64_t rows, int64_t block, const Caller& caller, ComputeBlock compute) {
  int64_t first = 0;
  do {
    RETURN_IF_ERROR(caller.Check());
    const int64_t count = std::min(block, rows - first);
    RETURN_IF_ERROR(compute(first, count));
    first += count;
  } while (first < rows);
  return absl::OkStatus();
}

// Puts a block's rows at their place in `whole`, which takes its shape from the
// first block.
void Place(Array block, int64_t first, int64_t rows, Array* whole) {
  if (first == 0 && block.rows() == rows) {
    *whole = std::move(block);
    return;
  }
  if (first == 0) {
    std::vector<int64_t> shape = block.shape();
    shape[0] = rows;
    *whole = Array(block.dtype(), std::move(shape));
  }
  const size_t row_bytes = block.bytes().size() / static_cast<size_t>(block.rows());
  std::memcpy(whole->bytes().data() + static_cast<size_t>(first) * row_bytes, block.bytes().data(),
              block.bytes().size());
}

template <typename T>
void MarkNotFinite(std::span<const T> numbers, int64_t rows, Mask* mask) {
  const auto count = static_cast<size_t>(rows);
  const size_t width = numbers.size() / count;
  for (size_t row = 0; row < count; ++row) {
    for (size_t i = row * width; i < (row + 1) * width; ++i) {
      if (std::isfinite(numbers[i])) continue;
      mask->resize(count, '\0');
      (*mask)[row] = '\1';
      break;
    }
  }
}

Mask NotFinite(std::initializer_list<const Array*> arrays) {
  Mask mask;
  for (const Array* array : arrays) {
    if (array->size() == 0) continue;
    if (array->dtype() == DType::kFloat32) {
      MarkNotFinite(array->as<float>(), array->rows(), &mask);
    } else {
      MarkNotFinite(array->as<double>(), array->rows(), &mask);
    }
  }
  return mask;
}

}  // namespace

absl::StatusOr<Scores> LogProb(const flows::Flow& flow, const Array& x, const Caller& caller) {
  Scores scores;
  const int64_t rows = x.rows();
  RETURN_IF_ERROR(ForBlocks(rows, BlockRows(flow), caller, [&](int64_t first, int64_t count) {
    auto block = count == rows ? flow.LogProb(x) : flow.LogProb(x.Rows(first, count));
    if (block.ok()) Place(*std::move(block), first, rows, &scores.log_prob);
    return block.status();
  }));
  scores.not_finite = NotFinite({&scores.log_prob});
  return scores;
}

absl::StatusOr<MappedRows> Transform(const flows::Flow& flow, Map map, const Array& points,
                                     flows::KeepLayers keep, const Caller& caller) {
  MappedRows mapped;
  const int64_t rows = points.rows();
  RETURN_IF_ERROR(
      ForBlocks(rows, BlockRows(flow), caller, [&](int64_t first, int64_t count) -> absl::Status {
        const Array block = points.Rows(first, count);
        ASSIGN_OR_RETURN(flows::Images images, map == Map::kToBase ? flow.ToBase(block, keep)
                                                                   : flow.FromBase(block, keep));
        Place(std::move(images.values), first, rows, &mapped.values);
        Place(std::move(images.ladj), first, rows, &mapped.ladj);
        mapped.layers.resize(images.layers.size());
        for (size_t i = 0; i < images.layers.size(); ++i) {
          Place(std::move(images.layers[i]), first, rows, &mapped.layers[i]);
        }
        return absl::OkStatus();
      }));
  mapped.not_finite = NotFinite({&mapped.values, &mapped.ladj});
  return mapped;
}

absl::StatusOr<Draws> Sample(const flows::Flow& flow, int64_t rows, uint64_t seed,
                             int64_t first_row, const Caller& caller) {
  Draws draws;
  RETURN_IF_ERROR(
      ForBlocks(rows, BlockRows(flow), caller, [&](int64_t first, int64_t count) -> absl::Status {
        ASSIGN_OR_RETURN(flows::Samples block, flow.Sample(count, seed, first_row + first));
        Place(std::move(block.x), first, rows, &draws.x);
        Place(std::move(block.log_prob), first, rows, &draws.log_prob);
        return absl::OkStatus();
      }));
  draws.not_finite = NotFinite({&draws.x, &draws.log_prob});
  return draws;
}

}  // namespace sluiced::serving
