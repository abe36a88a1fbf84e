#include "server/serving/inference.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <utility>

#include "server/common/check.h"
#include "server/common/status_macros.h"

namespace sluiced::serving {
namespace {

// Multiply-adds of a block, about: some milliseconds, between two looks at the caller.
constexpr int64_t kBlockWork = int64_t{1} << 26;
constexpr int64_t kMaxBlockRows = 65536;

int64_t BlockRows(const flows::Flow& flow) {
  const int64_t work_per_row = std::max<int64_t>(flow.state().parameters.size(), 1);
  return std::clamp<int64_t>(kBlockWork / work_per_row, 1, kMaxBlockRows);
}

// Calls compute(first, count) for blocks that cover [0, rows): at least once.
template <typename ComputeBlock>
absl::Status ForBlocks(int64_t rows, int64_t block, const Caller& caller, Executor* threads,
                       ComputeBlock compute) {
  if (rows <= block) {
    RETURN_IF_ERROR(caller.Check());
    return compute(int64_t{0}, rows);
  }
  const int64_t blocks = (rows + block - 1) / block;
  std::vector<absl::Status> statuses(static_cast<size_t>(blocks));
  std::atomic<bool> failed = false;
  threads->Share(blocks, [&](int64_t i) {
    if (failed.load(std::memory_order_relaxed)) return;
    absl::Status status = caller.Check();
    if (status.ok()) status = compute(i * block, std::min(block, rows - i * block));
    if (!status.ok()) failed.store(true, std::memory_order_relaxed);
    statuses[static_cast<size_t>(i)] = std::move(status);
  });
  for (absl::Status& status : statuses) RETURN_IF_ERROR(std::move(status));
  return absl::OkStatus();
}

// Where the blocks of a result of `rows` rows go: made before them, unless one block
// is all.
class Whole {
 public:
  Whole(const flows::Flow& flow, int64_t rows, int64_t block, std::vector<int64_t> row_shape)
      : one_(rows <= block) {
    if (one_) return;
    row_shape.insert(row_shape.begin(), rows);
    array_ = Array(flow.state().spec.dtype, std::move(row_shape));
  }

  void Place(Array block, int64_t first) {
    if (one_) {
      array_ = std::move(block);
      return;
    }
    const size_t row_bytes = array_.bytes().size() / static_cast<size_t>(array_.rows());
    std::memcpy(array_.bytes().data() + static_cast<size_t>(first) * row_bytes,
                block.bytes().data(), block.bytes().size());
  }
  Array Take() { return std::move(array_); }

 private:
  const bool one_;
  Array array_;
};

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

absl::StatusOr<Scores> LogProb(const flows::Flow& flow, const Array& x, const Caller& caller,
                               Executor* compute) {
  const int64_t rows = x.rows(), block = BlockRows(flow);
  Whole log_prob(flow, rows, block, {});
  RETURN_IF_ERROR(ForBlocks(rows, block, caller, compute, [&](int64_t first, int64_t count) {
    auto part = count == rows ? flow.LogProb(x) : flow.LogProb(x.Rows(first, count));
    if (part.ok()) log_prob.Place(*std::move(part), first);
    return part.status();
  }));
  Scores scores = {log_prob.Take(), {}};
  scores.not_finite = NotFinite({&scores.log_prob});
  return scores;
}

absl::StatusOr<MappedRows> Transform(const flows::Flow& flow, Map map, const Array& points,
                                     flows::KeepLayers keep, const Caller& caller,
                                     Executor* compute) {
  const int64_t rows = points.rows(), block = BlockRows(flow), dim = points.cols();
  Whole values(flow, rows, block, {dim}), ladj(flow, rows, block, {});
  const auto kept =
      static_cast<size_t>(keep == flows::KeepLayers::kYes ? flow.state().spec.layers : 0);
  std::vector<Whole> layers(kept, Whole(flow, rows, block, {dim}));
  RETURN_IF_ERROR(
      ForBlocks(rows, block, caller, compute, [&](int64_t first, int64_t count) -> absl::Status {
        const Array part = points.Rows(first, count);
        ASSIGN_OR_RETURN(flows::Images images,
                         map == Map::kToBase ? flow.ToBase(part, keep) : flow.FromBase(part, keep));
        SLUICED_CHECK(images.layers.size() == kept);
        values.Place(std::move(images.values), first);
        ladj.Place(std::move(images.ladj), first);
        for (size_t i = 0; i < kept; ++i) layers[i].Place(std::move(images.layers[i]), first);
        return absl::OkStatus();
      }));
  MappedRows mapped = {values.Take(), ladj.Take(), {}, {}};
  for (Whole& layer : layers) mapped.layers.push_back(layer.Take());
  mapped.not_finite = NotFinite({&mapped.values, &mapped.ladj});
  return mapped;
}

absl::StatusOr<Draws> Sample(const flows::Flow& flow, int64_t rows, uint64_t seed,
                             int64_t first_row, const Caller& caller, Executor* compute) {
  const int64_t block = BlockRows(flow);
  Whole x(flow, rows, block, {flow.state().spec.dim}), log_prob(flow, rows, block, {});
  RETURN_IF_ERROR(
      ForBlocks(rows, block, caller, compute, [&](int64_t first, int64_t count) -> absl::Status {
        ASSIGN_OR_RETURN(flows::Samples part, flow.Sample(count, seed, first_row + first));
        x.Place(std::move(part.x), first);
        log_prob.Place(std::move(part.log_prob), first);
        return absl::OkStatus();
      }));
  Draws draws = {x.Take(), log_prob.Take(), {}};
  draws.not_finite = NotFinite({&draws.x, &draws.log_prob});
  return draws;
}

}  // namespace sluiced::serving
