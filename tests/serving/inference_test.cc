#include "server/serving/inference.h"

#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/common/status_macros.h"

namespace sluiced::serving {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

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
  absl::StatusOr<flows::Samples> Sample(int64_t n, uint64_t seed,
                                        int64_t first_row) const override {
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

 private:
  Array Sums(const Array& x) const {
    Array sums(DType::kFloat64, {x.rows()});
    for (int64_t i = 0; i < x.rows(); ++i) {
      sums.as<double>()[i] = x.At(2 * i) == bad_ ? -kInf : x.At(2 * i) + x.At(2 * i + 1);
    }
    return sums;
  }

  flows::FlowState state_;
  const double bad_;
};

Array CountingRows(int64_t rows) {
  Array x(DType::kFloat64, {rows, 2});
  std::iota(x.as<double>().begin(), x.as<double>().end(), 0.0);
  return x;
}

class Inference : public ::testing::TestWithParam<int64_t> {};

TEST_P(Inference, BlocksAreAllRowsInOrder) {
  const int64_t rows = GetParam();
  Executor compute("compute", 3, 1);
  const FakeFlow flow(/*bad=*/-1);
  const Array x = CountingRows(rows);
  const auto scores = LogProb(flow, x, Caller(), &compute);
  ASSERT_TRUE(scores.ok());
  ASSERT_EQ(scores->log_prob.shape(), std::vector<int64_t>{rows});
  for (int64_t i = 0; i < rows; ++i) ASSERT_EQ(scores->log_prob.At(i), 4.0 * i + 1);
  EXPECT_EQ(scores->not_finite, "");

  const auto mapped = Transform(flow, Map::kToBase, x, flows::KeepLayers::kYes, Caller(), &compute);
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(mapped->values, x);
  EXPECT_EQ(mapped->ladj, scores->log_prob);
  EXPECT_EQ(mapped->layers, (std::vector<Array>{x, x}));

  const auto draws = Sample(flow, rows, /*seed=*/7, /*first_row=*/5, Caller(), &compute);
  ASSERT_TRUE(draws.ok());
  ASSERT_EQ(draws->x.shape(), (std::vector<int64_t>{rows, 2}));
  for (int64_t i = 0; i < rows; ++i) ASSERT_EQ(draws->x.At(2 * i), 5.0 + i);
}

INSTANTIATE_TEST_SUITE_P(Rows, Inference, ::testing::Values(0, 1, 127, 128, 129, 1000));

TEST(Inference, MarksTheRowsThatAreNotFinite) {
  const FakeFlow flow(/*bad=*/4);
  Executor compute("compute", 1, 1);
  const auto scores = LogProb(flow, CountingRows(5), Caller(), &compute);
  ASSERT_TRUE(scores.ok());
  EXPECT_EQ(scores->not_finite, std::string("\0\0\1\0\0", 5));
}

TEST(Inference, StopsWhenItsCallerLeaves) {
  FakeFlow flow(/*bad=*/-1);
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  flow.on_block = [&] { cancelled->store(flow.blocks == 3); };
  const Caller caller(absl::InfiniteFuture(), cancelled);
  Executor compute("compute", 1, 1);
  const auto scores = LogProb(flow, CountingRows(10000), caller, &compute);
  EXPECT_TRUE(absl::IsCancelled(scores.status())) << scores.status();
  EXPECT_EQ(flow.blocks, 3);
}

}  // namespace
}  // namespace sluiced::serving
