#include "server/serving/inference.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/common/status_macros.h"
#include "tests/serving/fake_flow.h"

namespace sluiced::serving {
namespace {

class Inference : public ::testing::TestWithParam<int64_t> {};

TEST_P(Inference, BlocksAreAllRowsInOrder) {
  const int64_t rows = GetParam();
  Executor compute("compute", 3, 1);
  const FakeFlow flow(/*bad=*/-1);
  const Array x = CountingRows(rows);
  const auto scores = ScoresOf(flow, x, Caller(), &compute);
  ASSERT_TRUE(scores.ok());
  ASSERT_EQ(scores->log_prob.shape(), std::vector<int64_t>{rows});
  for (int64_t i = 0; i < rows; ++i) ASSERT_EQ(scores->log_prob.At(i), 4.0 * i + 1);
  EXPECT_EQ(scores->not_finite, "");

  const auto mapped = ResultOf<MappedRows>([&](auto done) {
    Transform(Borrow(flow), Map::kToBase, x, flows::KeepLayers::kYes, Caller(), &compute,
              std::move(done));
  });
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ(mapped->values, x);
  EXPECT_EQ(mapped->ladj, scores->log_prob);
  EXPECT_EQ(mapped->layers, (std::vector<Array>{x, x}));

  const auto draws = ResultOf<Draws>([&](auto done) {
    Sample(Borrow(flow), rows, /*seed=*/7, /*first_row=*/5, Array(), Caller(), &compute,
           std::move(done));
  });
  ASSERT_TRUE(draws.ok());
  ASSERT_EQ(draws->x.shape(), (std::vector<int64_t>{rows, 2}));
  for (int64_t i = 0; i < rows; ++i) ASSERT_EQ(draws->x.At(2 * i), 5.0 + i);
}

INSTANTIATE_TEST_SUITE_P(Rows, Inference, ::testing::Values(0, 1, 127, 128, 129, 1000));

TEST(Inference, MarksTheRowsThatAreNotFinite) {
  const FakeFlow flow(/*bad=*/4);
  Executor compute("compute", 1, 1);
  const auto scores = ScoresOf(flow, CountingRows(5), Caller(), &compute);
  ASSERT_TRUE(scores.ok());
  EXPECT_EQ(scores->not_finite, std::string("\0\0\1\0\0", 5));
}

TEST(Inference, StopsWhenItsCallerLeaves) {
  FakeFlow flow(/*bad=*/-1);
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  flow.on_block = [&] { cancelled->store(flow.blocks == 3); };
  const Caller caller(absl::InfiniteFuture(), cancelled);
  Executor compute("compute", 1, 1);
  const auto scores = ScoresOf(flow, CountingRows(10000), caller, &compute);
  EXPECT_TRUE(absl::IsCancelled(scores.status())) << scores.status();
  EXPECT_EQ(flow.blocks, 3);
}

TEST(Inference, SmallWorkGoesBetweenTheBlocksOfALargeCall) {
  FakeFlow flow(/*bad=*/-1);
  Executor compute("compute", 1, 1);
  std::promise<void> small;
  std::atomic<int> blocks_before_small = 0;
  flow.on_block = [&] {
    if (flow.blocks != 2) return;
    EXPECT_TRUE(compute
                    .Post(Caller(),
                          [&](const absl::Status&) {
                            blocks_before_small = flow.blocks.load();
                            small.set_value();
                          })
                    .ok());
  };
  ASSERT_TRUE(ScoresOf(flow, CountingRows(128 * 100), Caller(), &compute).ok());
  small.get_future().wait();
  EXPECT_LE(blocks_before_small, 3);
  EXPECT_EQ(flow.blocks, 100);
}

TEST(Inference, LoadsAreByWorkAndTinyOnlyInTheEngine) {
  class Sized : public FakeFlow {
   public:
    explicit Sized(flows::Executor executor) : FakeFlow(-1) { state_.spec.executor = executor; }
  };
  const Sized engine(flows::Executor::kEngine), torch(flows::Executor::kTorch);
  EXPECT_EQ(LoadOf(engine, 2), Load::kTiny);
  EXPECT_EQ(LoadOf(engine, 3), Load::kBlock);
  EXPECT_EQ(LoadOf(engine, BlockRows(engine)), Load::kBlock);
  EXPECT_EQ(LoadOf(engine, BlockRows(engine) + 1), Load::kLarge);
  EXPECT_EQ(LoadOf(torch, 1), Load::kBlock);
}

}  // namespace
}  // namespace sluiced::serving
