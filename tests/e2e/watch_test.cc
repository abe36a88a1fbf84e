// Watchers that do not behave: training takes no notice of them, and each gets the
// terminal update.
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

constexpr int64_t kEpochs = 300;

class WatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.Start({dir_.path()})) << server_.Log();
    client_ = server_.Connect();
    ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "m", 1000));
  }

  std::string StartJob(int64_t epochs = kEpochs) {
    const auto job = client_->CreateTrainJob(TrainRequestFor("m", epochs));
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

  TempDir dir_;
  ServerProcess server_;
  std::unique_ptr<Client> client_;
};

// Watchers that take one update and no more until Release.
class StalledWatchers {
 public:
  StalledWatchers(const ServerProcess& server, const std::string& job, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      watchers_.push_back(std::make_unique<Watcher>());
      Watcher& watcher = *watchers_.back();
      watcher.client = server.Connect();
      watcher.thread = std::thread([this, &watcher, job] {
        watcher.client->WatchTrainJob(job, 0, [&](const TrainUpdate& update) {
          if (watcher.seen.empty()) watcher.stalled.set_value();
          released_.wait();
          watcher.seen.push_back(update);
          return true;
        });
      });
    }
    for (const auto& watcher : watchers_) watcher->stalled.get_future().wait();
  }
  ~StalledWatchers() {
    if (!watchers_.empty()) Release();
  }

  // What each saw until the end.
  std::vector<std::vector<TrainUpdate>> Release() {
    release_.set_value();
    std::vector<std::vector<TrainUpdate>> all;
    for (const auto& watcher : std::exchange(watchers_, {})) {
      watcher->thread.join();
      all.push_back(std::move(watcher->seen));
    }
    return all;
  }

 private:
  struct Watcher {
    std::unique_ptr<Client> client;
    std::promise<void> stalled;
    std::vector<TrainUpdate> seen;
    std::thread thread;
  };
  std::promise<void> release_;
  const std::shared_future<void> released_ = release_.get_future().share();
  std::vector<std::unique_ptr<Watcher>> watchers_;
};

// Were it waited for, the training would come to no end here.
TEST_F(WatchTest, OneThatStopsReadingHoldsUpNothingAndStillGetsTheLastUpdate) {
  const std::string job = StartJob(/*epochs=*/10'000'000);
  StalledWatchers stalled(server_, job, 8);
  // More than fits between the server and a watcher that does not read.
  constexpr int64_t kEpochsWhileStalled = 3000;
  int64_t first = 0;
  const Status left = client_->WatchTrainJob(job, 0, [&first](const TrainUpdate& update) {
    if (first == 0) first = update.epoch;
    return update.epoch < first + kEpochsWhileStalled;
  });
  EXPECT_EQ(left.code, Code::kCancelled) << left.ToString();
  ASSERT_SLUICE_OK(client_->CancelTrainJob(job).status());
  EXPECT_EQ(Follow(*client_, job).back().state, JobState::kCancelled);

  for (const auto& updates : stalled.Release()) {
    ASSERT_FALSE(updates.empty());
    EXPECT_EQ(updates.back().state, JobState::kCancelled);
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
