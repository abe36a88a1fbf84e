#include "server/serving/inference.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <utility>

#include "server/common/array_parts.h"
#include "server/common/catch_all.h"
#include "server/common/check.h"
#include "server/common/status_macros.h"

namespace sluiced::serving {
namespace {

// Multiply-adds of a block, about: some milliseconds, between two looks at the caller
// and at who else waits.
constexpr int64_t kBlockWork = int64_t{1} << 26;
constexpr int64_t kMaxBlockRows = 65536;
// Some twenty microseconds in the engine; LibTorch takes that long for nothing.
constexpr int64_t kTinyWork = int64_t{1} << 20;

int64_t WorkPerRow(const flows::Flow& flow) {
  return std::max<int64_t>(flow.state().parameters.size(), 1);
}

// One call's way through its rows, block by block.
class Blocks : public std::enable_shared_from_this<Blocks> {
 public:
  // Computes the rows [first, first + count), on many threads at once.
  using Compute = std::function<absl::Status(int64_t first, int64_t count)>;

  Blocks(const flows::Flow& flow, int64_t rows, const Caller& caller, Compute compute)
      : rows_(rows), block_(BlockRows(flow)), caller_(caller), compute_(std::move(compute)) {}

  // At least one block, though there be no rows. Then done, with the first error.
  void Run(Executor* threads, std::function<void(absl::Status)> done) {
    if (rows_ <= block_) return done(RunBlock(0));
    const int64_t blocks = (rows_ + block_ - 1) / block_;
    statuses_.resize(static_cast<size_t>(blocks));
    threads->ForParts(
        blocks,
        [self = shared_from_this()](int64_t i) {
          if (self->failed_.load(std::memory_order_relaxed)) return;
          absl::Status status = self->RunBlock(i);
          if (!status.ok()) self->failed_.store(true, std::memory_order_relaxed);
          self->statuses_[static_cast<size_t>(i)] = std::move(status);
        },
        [self = shared_from_this(), done = std::move(done)] { done(self->FirstError()); });
  }

 private:
  absl::Status RunBlock(int64_t i) {
    RETURN_IF_ERROR(caller_.Check());
    const int64_t first = i * block_;
    return CatchAll([&] { return compute_(first, std::min(block_, rows_ - first)); });
  }

  absl::Status FirstError() const {
    for (const absl::Status& status : statuses_) RETURN_IF_ERROR(status);
    return absl::OkStatus();
  }

  const int64_t rows_;
  const int64_t block_;
  const Caller caller_;
  const Compute compute_;
  std::atomic<bool> failed_ = false;
  std::vector<absl::Status> statuses_;
};

// What one call computes with and into.
template <typename Work, typename... Arguments>
absl::StatusOr<std::shared_ptr<Work>> MakeWork(Arguments&&... arguments) {
  return CatchAll([&]() -> absl::StatusOr<std::shared_ptr<Work>> {
    return std::make_shared<Work>(std::forward<Arguments>(arguments)...);
  });
}

// Runs compute(work, first, count) for the blocks and gives done what take(work) makes
// of it.
template <typename Result, typename Work, typename Compute, typename Take>
void ForBlocks(const absl::StatusOr<std::shared_ptr<Work>>& made, int64_t rows,
               const Caller& caller, Executor* threads, Compute compute, Take take,
               Done<Result> done) {
  if (!made.ok()) return done(made.status());
  const std::shared_ptr<Work> work = *made;
  const auto blocks = std::make_shared<Blocks>(
      *work->flow, rows, caller,
      [work, compute](int64_t first, int64_t count) { return compute(*work, first, count); });
  blocks->Run(threads, [work, take, done = std::move(done)](const absl::Status& status) {
    if (!status.ok()) return done(status);
    done(CatchAll([&]() -> absl::StatusOr<Result> { return take(*work); }));
  });
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

struct ScoresWork {
  ScoresWork(FlowPtr the_flow, Array the_x)
      : flow(std::move(the_flow)),
        x(std::move(the_x)),
        log_prob(*flow, x.rows(), BlockRows(*flow), {}) {}

  FlowPtr flow;
  Array x;
  Whole log_prob;
};

struct MapWork {
  MapWork(FlowPtr the_flow, Map the_map, Array the_points, flows::KeepLayers the_keep)
      : flow(std::move(the_flow)),
        map(the_map),
        points(std::move(the_points)),
        keep(the_keep),
        values(*flow, points.rows(), BlockRows(*flow), {points.cols()}),
        ladj(*flow, points.rows(), BlockRows(*flow), {}),
        layers(static_cast<size_t>(keep == flows::KeepLayers::kYes ? flow->state().spec.layers : 0),
               Whole(*flow, points.rows(), BlockRows(*flow), {points.cols()})) {}

  absl::Status Compute(int64_t first, int64_t count) {
    const Array part = points.Rows(first, count);
    ASSIGN_OR_RETURN(flows::Images images,
                     map == Map::kToBase ? flow->ToBase(part, keep) : flow->FromBase(part, keep));
    SLUICED_CHECK(images.layers.size() == layers.size());
    values.Place(std::move(images.values), first);
    ladj.Place(std::move(images.ladj), first);
    for (size_t i = 0; i < layers.size(); ++i) layers[i].Place(std::move(images.layers[i]), first);
    return absl::OkStatus();
  }

  MappedRows Take() {
    MappedRows mapped = {values.Take(), ladj.Take(), {}, {}};
    for (Whole& layer : layers) mapped.layers.push_back(layer.Take());
    mapped.not_finite = NotFinite({&mapped.values, &mapped.ladj});
    return mapped;
  }

  FlowPtr flow;
  Map map;
  Array points;
  flows::KeepLayers keep;
  Whole values, ladj;
  std::vector<Whole> layers;
};

struct DrawsWork {
  DrawsWork(FlowPtr the_flow, int64_t rows, Array the_context)
      : flow(std::move(the_flow)),
        context(std::move(the_context)),
        x(*flow, rows, BlockRows(*flow), {flow->state().spec.dim}),
        log_prob(*flow, rows, BlockRows(*flow), {}) {}

  // Of the rows [first, first + count).
  Array Context(int64_t first, int64_t count) const {
    const int64_t columns = flow->state().spec.context_dim;
    if (columns == 0) return Array();
    if (context.rows() != 1) return context.Rows(first, count);
    return TakeRows(context, std::vector<int64_t>(static_cast<size_t>(count), 0));
  }

  FlowPtr flow;
  Array context;
  Whole x, log_prob;
};

}  // namespace

int64_t BlockRows(const flows::Flow& flow) {
  return std::clamp<int64_t>(kBlockWork / WorkPerRow(flow), 1, kMaxBlockRows);
}

Load LoadOf(const flows::Flow& flow, int64_t rows) {
  const bool in_engine = flows::ExecutorFor(flow.state().spec) == flows::Executor::kEngine;
  if (in_engine && rows <= kTinyWork / WorkPerRow(flow)) return Load::kTiny;
  return rows <= BlockRows(flow) ? Load::kBlock : Load::kLarge;
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

void LogProb(FlowPtr flow, Array x, const Caller& caller, Executor* compute, Done<Scores> done) {
  const int64_t rows = x.rows();
  ForBlocks(
      MakeWork<ScoresWork>(std::move(flow), std::move(x)), rows, caller, compute,
      [rows](ScoresWork& work, int64_t first, int64_t count) {
        auto part = count == rows ? work.flow->LogProb(work.x)
                                  : work.flow->LogProb(work.x.Rows(first, count));
        if (part.ok()) work.log_prob.Place(*std::move(part), first);
        return part.status();
      },
      [](ScoresWork& work) {
        Scores scores = {work.log_prob.Take(), {}};
        scores.not_finite = NotFinite({&scores.log_prob});
        return scores;
      },
      std::move(done));
}

void Transform(FlowPtr flow, Map map, Array points, flows::KeepLayers keep, const Caller& caller,
               Executor* compute, Done<MappedRows> done) {
  const int64_t rows = points.rows();
  ForBlocks(
      MakeWork<MapWork>(std::move(flow), map, std::move(points), keep), rows, caller, compute,
      [](MapWork& work, int64_t first, int64_t count) { return work.Compute(first, count); },
      [](MapWork& work) { return work.Take(); }, std::move(done));
}

void Sample(FlowPtr flow, int64_t rows, uint64_t seed, int64_t first_row, Array context,
            const Caller& caller, Executor* compute, Done<Draws> done) {
  ForBlocks(
      MakeWork<DrawsWork>(std::move(flow), rows, std::move(context)), rows, caller, compute,
      [seed, first_row](DrawsWork& work, int64_t first, int64_t count) -> absl::Status {
        ASSIGN_OR_RETURN(flows::Samples part, work.flow->Sample(count, seed, first_row + first,
                                                                work.Context(first, count)));
        work.x.Place(std::move(part.x), first);
        work.log_prob.Place(std::move(part.log_prob), first);
        return absl::OkStatus();
      },
      [](DrawsWork& work) {
        Draws draws = {work.x.Take(), work.log_prob.Take(), {}};
        draws.not_finite = NotFinite({&draws.x, &draws.log_prob});
        return draws;
      },
      std::move(done));
}

}  // namespace sluiced::serving
