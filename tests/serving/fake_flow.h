// What the tests of serving compute with.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/status/statusor.h"
#include "server/serving/inference.h"

namespace sluiced::serving {

// A flow that tells each row's number apart, and counts the blocks it is asked for.
// Rows whose first number is `bad` come out not finite.
class FakeFlow : public flows::Flow {
 public:
  explicit FakeFlow(double bad) : bad_(bad) {
    state_.spec.dim = 2;
    state_.spec.dtype = DType::kFloat64;
    state_.spec.layers = 2;
    // Many parameters make small blocks.
    state_.parameters = Array(DType::kFloat32, {int64_t{1} << 19});
  }
  const flows::FlowState& state() const override { return state_; }

  absl::StatusOr<flows::Images> ToBase(const Array& x, flows::KeepLayers keep) const override {
    ++blocks;
    flows::Images images{.values = x, .ladj = Sums(x), .layers = {}};
    if (keep == flows::KeepLayers::kYes) images.layers = {x, x};
    return images;
  }
  absl::StatusOr<flows::Images> FromBase(const Array& z, flows::KeepLayers keep) const override {
    return ToBase(z, keep);
  }
  absl::StatusOr<Array> LogProb(const Array& x) const override {
    ++blocks;
    if (on_block) on_block();
    return Sums(x);
  }
  absl::StatusOr<flows::Samples> Sample(int64_t n, uint64_t seed, int64_t first_row,
                                        const Array&) const override {
    ++blocks;
    Array x(DType::kFloat64, {n, 2});
    for (int64_t i = 0; i < n; ++i) {
      x.as<double>()[2 * i] = static_cast<double>(first_row + i);
      x.as<double>()[2 * i + 1] = static_cast<double>(seed);
    }
    Array sums = Sums(x);
    return flows::Samples{.x = std::move(x), .log_prob = std::move(sums)};
  }

  mutable std::atomic<int> blocks = 0;
  std::function<void()> on_block;

 protected:
  flows::FlowState state_;

 private:
  Array Sums(const Array& x) const {
    Array sums(DType::kFloat64, {x.rows()});
    for (int64_t i = 0; i < x.rows(); ++i) {
      sums.as<double>()[i] = x.At(2 * i) == bad_ ? -std::numeric_limits<double>::infinity()
                                                 : x.At(2 * i) + x.At(2 * i + 1);
    }
    return sums;
  }

  const double bad_;
};

template <typename Result, typename Start>
absl::StatusOr<Result> ResultOf(Start start) {
  std::promise<absl::StatusOr<Result>> result;
  start([&result](absl::StatusOr<Result> value) { result.set_value(std::move(value)); });
  return result.get_future().get();
}

// Of a flow that outlives the call.
inline FlowPtr Borrow(const flows::Flow& flow) { return {FlowPtr(), &flow}; }

inline absl::StatusOr<Scores> ScoresOf(const flows::Flow& flow, const Array& x,
                                       const Caller& caller, Executor* compute) {
  return ResultOf<Scores>(
      [&](auto done) { LogProb(Borrow(flow), x, caller, compute, std::move(done)); });
}

inline Array CountingRows(int64_t rows) {
  Array x(DType::kFloat64, {rows, 2});
  std::iota(x.as<double>().begin(), x.as<double>().end(), 0.0);
  return x;
}

}  // namespace sluiced::serving
