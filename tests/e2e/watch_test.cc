// Watchers that do not behave: training takes no notice of them, and each gets the
// terminal update.
#include <chrono>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kEpochs = 300;

class WatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.Start({dir_.path()})) << server_.Log();
    client_ = server_.Connect();
    ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "m", 1000));
  }

  std::string StartJob() {
    const auto job = client_->CreateTrainJob(TrainRequestFor("m", kEpochs));
    EXPECT_TRUE(job.ok()) << job.status().ToString();
    return job.ok() ? job->id : "";
  }

  // Follows the job to its end and returns what came.
  std::vector<TrainUpdate> Follow(Client& client, const std::string& job, int64_t after = 0) {
    std::vector<TrainUpdate> updates;
    const Status status = client.WatchTrainJob(job, after, [&](const TrainUpdate& update) {
      updates.push_back(update);
      return true;
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
    return updates;
  }

  Clock::duration TimeJob(const std::string& job) {
    const auto start = Clock::now();
    Follow(*client_, job);
    return Clock::now() - start;
  }

  TempDir dir_;
  ServerProcess server_;
  std::unique_ptr<Client> client_;
};

TEST_F(WatchTest, OneThatStopsReadingSlowsNothingAndStillGetsTheLastUpdate) {
  const auto alone = TimeJob(StartJob());

  const std::string job = StartJob();
  std::promise<void> release;
  std::shared_future<void> released = release.get_future();
  constexpr int kStalled = 8;
  std::vector<std::vector<TrainUpdate>> seen(kStalled);
  std::vector<std::thread> watchers;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kStalled; ++i) {
    clients.push_back(server_.Connect());
    watchers.emplace_back([&, i] {
      clients[static_cast<size_t>(i)]->WatchTrainJob(job, 0, [&, i](const TrainUpdate& update) {
        released.wait();
        seen[static_cast<size_t>(i)].push_back(update);
        return true;
      });
    });
  }
  const auto watched = TimeJob(job);
  release.set_value();
  for (std::thread& watcher : watchers) watcher.join();

  // Twice: other programs share the machine.
  EXPECT_LT(watched, alone * 2 + std::chrono::seconds(1));
  for (const auto& updates : seen) {
    ASSERT_FALSE(updates.empty());
    EXPECT_EQ(updates.back().state, JobState::kSucceeded);
  }
}

TEST_F(WatchTest, OneThatLeavesIsForgottenAndMayComeBack) {
  const std::string job = StartJob();
  int64_t left_at = 0;
  const Status left = client_->WatchTrainJob(job, 0, [&](const TrainUpdate& update) {
    left_at = update.sequence;
    return update.epoch < 3;
  });
  EXPECT_EQ(left.code, Code::kCancelled) << left.ToString();

  const auto rest = Follow(*client_, job, left_at);
  ASSERT_FALSE(rest.empty());
  EXPECT_EQ(rest.front().sequence, left_at + 1);
  EXPECT_EQ(rest.back().state, JobState::kSucceeded);
  for (size_t i = 1; i < rest.size(); ++i) EXPECT_GT(rest[i].sequence, rest[i - 1].sequence);
}

TEST_F(WatchTest, OneThatComesAfterTheEndGetsTheWholeStory) {
  const std::string job = StartJob();
  Follow(*client_, job);
  const auto story = Follow(*client_, job);
  ASSERT_FALSE(story.empty());
  EXPECT_EQ(story.front().sequence, 1);
  EXPECT_EQ(story.back().state, JobState::kSucceeded);
  // And from the end on: nothing but the end.
  EXPECT_TRUE(Follow(*client_, job, story.back().sequence).empty());
}

TEST_F(WatchTest, OneLivesThroughARestartOfTheServer) {
  const std::string job = StartJob();
  const int port = server_.port();
  std::promise<void> first_epoch;
  std::once_flag once;
  std::vector<TrainUpdate> updates;
  std::thread watcher([&] {
    updates = {};
    const Status status = client_->WatchTrainJob(job, 0, [&](const TrainUpdate& update) {
      updates.push_back(update);
      if (update.epoch > 0) std::call_once(once, [&] { first_epoch.set_value(); });
      return true;
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
  });
  first_epoch.get_future().wait();
  server_.Kill();
  ASSERT_TRUE(server_.Start({dir_.path(), port})) << server_.Log();
  watcher.join();
  ASSERT_FALSE(updates.empty());
  EXPECT_EQ(updates.back().state, JobState::kSucceeded);
  for (size_t i = 1; i < updates.size(); ++i) {
    EXPECT_GT(updates[i].sequence, updates[i - 1].sequence);
  }
}

}  // namespace
}  // namespace sluice::testing
