// Watches: replay, following, skipping, leaving, coming back.
#include <atomic>
#include <future>
#include <thread>

#include "server/store/sqlite_store_impl.h"
#include "tests/jobs/job_fixture.h"

namespace sluiced::jobs {
namespace {

class JobWatchTest : public JobTest {
 protected:
  void StartJob(int watcher_buffer) {
    Options options;
    options.watch.buffer = watcher_buffer;
    options.watch.crowd = 4;
    options.watch.crowd_updates_per_second = 20;
    options.watch.now = [this] { return now_; };
    StartManager(options);
    Create("job-a");
    runs_.AwaitStarted(1);
  }
  // Update 1 is the start; these are 2, 3, ...
  void AddUpdates(int count) {
    runs_.Do("job-a", [count](RunContext& context) {
      for (int i = 0; i < count; ++i) EXPECT_TRUE(context.AddUpdate("progress").ok());
    });
  }
  void Finish() {
    runs_.Return("job-a", Published());
    AwaitEnd("job-a");
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
};

std::vector<int64_t> Sequences(const std::vector<UpdateRecord>& updates) {
  std::vector<int64_t> sequences;
  for (const UpdateRecord& update : updates) sequences.push_back(update.sequence);
  return sequences;
}

std::vector<int64_t> Range(int64_t first, int64_t last) {
  std::vector<int64_t> all;
  for (int64_t i = first; i <= last; ++i) all.push_back(i);
  return all;
}

TEST_F(JobWatchTest, ReplaysAllOfALongHistoryHoweverSmallTheBuffer) {
  StartJob(4);
  AddUpdates(700);
  Reader reader(*manager_, "job-a");
  AddUpdates(10);
  Finish();
  EXPECT_EQ(Sequences(reader.ReadToEnd()), Range(1, 712));
  EXPECT_EQ(Sequences(Reader(*manager_, "job-a").ReadToEnd()), Range(1, 712));
}

TEST_F(JobWatchTest, AReplayBeginsAtTheFirstUpdateThatIsKept) {
  Options options;
  options.watch.buffer = 4;
  options.keep_updates = 100;
  StartManager(options);
  Create("job-a");
  runs_.AwaitStarted(1);
  Reader from_the_start(*manager_, "job-a");
  EXPECT_EQ(from_the_start.Read().value()->sequence, 1);
  AddUpdates(1000);
  Reader late(*manager_, "job-a");
  AddUpdates(5);
  Finish();
  const std::vector<int64_t> seen = Sequences(late.ReadToEnd());
  ASSERT_GE(seen.size(), 100u);
  EXPECT_LE(seen.size(), 110u) << "a tenth more than asked for, at most";
  EXPECT_EQ(seen, Range(seen.front(), 1007));  // No gap but the one before it.
  EXPECT_EQ(from_the_start.ReadToEnd().back().state, JobState::kSucceeded);
}

TEST_F(JobWatchTest, FollowsLiveAndEndsOnceTheTerminalUpdateWasGiven) {
  StartJob(256);
  Reader reader(*manager_, "job-a");
  EXPECT_EQ(reader.Read().value()->sequence, 1);
  AddUpdates(1);
  EXPECT_EQ(reader.Read().value()->sequence, 2);
  // What a watcher sees is stored already.
  EXPECT_EQ(store_->GetJob("job-a")->last_sequence, 2);
  Finish();
  EXPECT_EQ(reader.Read().value()->state, JobState::kSucceeded);
  for (int i = 0; i < 2; ++i) {
    const Watch::Next next = reader.watch().TryNext().value();
    EXPECT_TRUE(next.ended);
    EXPECT_FALSE(next.update);
  }
}

TEST_F(JobWatchTest, ReadyIsCalledOnceForEachTryThatFoundNothing) {
  StartJob(256);
  Reader reader(*manager_, "job-a", 1);
  AddUpdates(3);
  EXPECT_EQ(reader.ready_calls(), 0);  // Nobody was told that there was nothing.
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(reader.watch().TryNext()->update);
  EXPECT_FALSE(reader.watch().TryNext()->update);
  AddUpdates(3);
  EXPECT_EQ(reader.ready_calls(), 1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(reader.watch().TryNext()->update);
  EXPECT_FALSE(reader.watch().TryNext()->update);
  Finish();
  EXPECT_TRUE(reader.watch().TryNext()->update);
  EXPECT_TRUE(reader.watch().TryNext()->ended);
  StopManager();  // All calls have been made then.
  EXPECT_EQ(reader.ready_calls(), 2);
}

TEST_F(JobWatchTest, ASlowWatcherSkipsAndStillGetsTheTerminalUpdate) {
  StartJob(8);
  Reader slow(*manager_, "job-a");
  EXPECT_EQ(slow.Read().value()->sequence, 1);
  AddUpdates(1000);  // Returns: nobody waited for the watcher.
  EXPECT_EQ(slow.Read().value()->sequence, 994);
  AddUpdates(1000);
  Finish();
  const auto rest = slow.ReadToEnd();
  EXPECT_EQ(Sequences(rest), Range(1995, 2002));
  EXPECT_EQ(rest.back().state, JobState::kSucceeded);
}

TEST_F(JobWatchTest, ACrowdIsToldOfTheLatestInTurn) {
  StartJob(256);
  std::vector<std::unique_ptr<Reader>> crowd;
  for (int i = 0; i < 6; ++i) {
    crowd.push_back(std::make_unique<Reader>(*manager_, "job-a", 1));
    EXPECT_FALSE(crowd.back()->watch().TryNext()->update);
  }
  const auto told = [&] {
    std::string who;
    for (const auto& reader : crowd) who += std::to_string(reader->ready_calls());
    return who;
  };
  AddUpdates(1);  // The first update finds a tenth of a second saved up: two turns.
  EXPECT_EQ(told(), "110000");
  AddUpdates(10);  // No time has passed.
  EXPECT_EQ(told(), "110000");
  EXPECT_EQ(crowd[0]->watch().TryNext()->update->sequence, 12);  // All between are skipped.
  EXPECT_FALSE(crowd[0]->watch().TryNext()->update);
  now_ += absl::Milliseconds(50);
  AddUpdates(1);
  EXPECT_EQ(told(), "111000");
  now_ += absl::Seconds(100);
  AddUpdates(1);
  EXPECT_EQ(told(), "111110");  // No more than a tenth of a second is saved up.
  Finish();
  for (const auto& reader : crowd) {
    EXPECT_EQ(reader->ReadToEnd().back().state, JobState::kSucceeded);
  }
  StopManager();  // All calls have been made then.
  EXPECT_EQ(told(), "211111");  // All are told of the end.
}

TEST_F(JobWatchTest, WhatIsLeftOfACrowdSeesEveryUpdateAgain) {
  StartJob(256);
  std::vector<std::unique_ptr<Reader>> crowd;
  for (int i = 0; i < 5; ++i) crowd.push_back(std::make_unique<Reader>(*manager_, "job-a", 1));
  for (const auto& reader : crowd) EXPECT_FALSE(reader->watch().TryNext()->update);
  crowd.pop_back();
  AddUpdates(3);
  for (const auto& reader : crowd) {
    EXPECT_EQ(reader->ready_calls(), 1);
    for (int64_t i = 2; i <= 4; ++i) EXPECT_EQ(reader->watch().TryNext()->update->sequence, i);
  }
  Finish();
}

TEST_F(JobWatchTest, TheRunEndsWhileWatchersStallWhereverTheyStand) {
  StartJob(8);
  AddUpdates(300);
  Reader never(*manager_, "job-a");
  Reader replaying(*manager_, "job-a");
  EXPECT_EQ(replaying.Read().value()->sequence, 1);  // The rest of a page is with it.
  Reader following(*manager_, "job-a", 301);
  EXPECT_FALSE(following.watch().TryNext()->update);  // Told of the next one, it does nothing.
  Reader skipping(*manager_, "job-a", 301);
  EXPECT_FALSE(skipping.watch().TryNext()->update);
  AddUpdates(100);
  EXPECT_EQ(skipping.Read().value()->sequence, 394);
  AddUpdates(1000);
  Finish();
  EXPECT_EQ(StateOf("job-a"), JobState::kSucceeded);

  EXPECT_EQ(Sequences(never.ReadToEnd()), Range(1, 1402));
  EXPECT_EQ(Sequences(replaying.ReadToEnd()), Range(2, 1402));
  EXPECT_EQ(Sequences(following.ReadToEnd()), Range(1395, 1402));
  EXPECT_EQ(Sequences(skipping.ReadToEnd()), Range(1395, 1402));
}

// Reads of updates wait until Release, the first of them only.
class StuckStore : public store::SqliteStore {
 public:
  using SqliteStore::SqliteStore;
  absl::StatusOr<std::vector<UpdateRecord>> ListUpdates(absl::string_view job, int64_t after,
                                                        int64_t limit) override {
    if (!stuck_.exchange(true)) {
      entered.set_value();
      release.get_future().wait();
    }
    return SqliteStore::ListUpdates(job, after, limit);
  }
  std::promise<void> entered, release;

 private:
  std::atomic<bool> stuck_ = false;
};

class JobWatchOverAStuckStore : public JobWatchTest {
 protected:
  void SetUp() override {
    auto lock = store::DataDirLock::Acquire(dir_.path());
    ASSERT_TRUE(lock.ok()) << lock.status();
    auto store = std::make_unique<StuckStore>(*std::move(lock), dir_.path());
    ASSERT_TRUE(store->Start().ok());
    stuck_ = store.get();
    store_ = std::move(store);
    store::MakeModel(*store_, "wow");
  }
  StuckStore* stuck_ = nullptr;
};

TEST_F(JobWatchOverAStuckStore, TheRunEndsWhileAWatcherIsStuckInARead) {
  StartJob(8);
  AddUpdates(20);
  Reader reader(*manager_, "job-a");
  std::vector<UpdateRecord> updates;
  std::thread stuck([&] { updates = reader.ReadToEnd(); });
  stuck_->entered.get_future().wait();
  AddUpdates(100);
  Finish();
  EXPECT_EQ(StateOf("job-a"), JobState::kSucceeded);
  stuck_->release.set_value();
  stuck.join();
  EXPECT_EQ(Sequences(updates), Range(1, 122));
}

TEST_F(JobWatchTest, AWatcherThatComesBackLosesNothing) {
  StartJob(8);
  AddUpdates(50);
  std::vector<int64_t> seen;
  {
    Reader first(*manager_, "job-a");
    for (int i = 0; i < 20; ++i) seen.push_back(first.Read().value()->sequence);
  }
  AddUpdates(50);
  Reader second(*manager_, "job-a", seen.back());
  Finish();
  for (int64_t sequence : Sequences(second.ReadToEnd())) seen.push_back(sequence);
  EXPECT_EQ(seen, Range(1, 102));
}

TEST_F(JobWatchTest, AWatcherThatComesBackAfterARestartLosesNothing) {
  StartJob(8);
  AddUpdates(20);
  std::thread drain([this] { manager_->Drain(); });
  runs_.AwaitSignal("job-a", Signal::kPause);
  runs_.Return("job-a", RunResult{});
  drain.join();
  StartManager();
  Reader reader(*manager_, "job-a", 10);
  runs_.Return("job-a", Published());
  EXPECT_EQ(Sequences(reader.ReadToEnd()), Range(11, 24));  // 22 QUEUED, 23 RUNNING, 24 the end.
}

TEST_F(JobWatchTest, AWatcherThatLeavesIsNeverCalledAgainAndStopsNothing) {
  StartJob(8);
  int calls = 0;
  auto watch = manager_->StartWatch("job-a", 1, [&calls] { ++calls; }).value();
  EXPECT_FALSE(watch->TryNext()->update);
  watch.reset();
  AddUpdates(10);
  Finish();
  EXPECT_EQ(StateOf("job-a"), JobState::kSucceeded);
  StopManager();  // All calls have been made then.
  EXPECT_EQ(calls, 0);
}

TEST_F(JobWatchTest, AWatchMayBeDeletedByItsOwnReady) {
  StartJob(8);
  std::unique_ptr<Watch> watch;
  watch = manager_->StartWatch("job-a", 1, [&watch] { watch.reset(); }).value();
  EXPECT_FALSE(watch->TryNext()->update);
  AddUpdates(2);
  EXPECT_EQ(watch, nullptr);
  Finish();
}

TEST_F(JobWatchTest, StartsAnywhere) {
  StartJob(8);
  AddUpdates(3);
  Reader past(*manager_, "job-a", 1000);
  Reader before(*manager_, "job-a", -5);
  Finish();
  EXPECT_EQ(Sequences(before.ReadToEnd()), Range(1, 5));
  EXPECT_TRUE(past.ReadToEnd().empty());
  EXPECT_TRUE(Reader(*manager_, "job-a", 5).ReadToEnd().empty());
  EXPECT_EQ(manager_->StartWatch("none", 0, [] {}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JobWatchTest, DrainEndsWatchesWithUnavailable) {
  StartJob(8);
  Reader reader(*manager_, "job-a", 1);
  EXPECT_FALSE(reader.watch().TryNext()->update);
  std::thread drain([this] { manager_->Drain(); });
  EXPECT_EQ(reader.Read().status().code(), absl::StatusCode::kUnavailable);
  runs_.Return("job-a", RunResult{});
  drain.join();
  EXPECT_EQ(manager_->StartWatch("job-a", 0, [] {}).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(JobWatchTest, DeletingAJobEndsAReplayWithNotFound) {
  StartJob(8);
  AddUpdates(600);
  Reader during(*manager_, "job-a");
  Finish();
  Reader after(*manager_, "job-a");
  ASSERT_TRUE(manager_->Delete("job-a").ok());
  EXPECT_EQ(during.Read().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(after.Read().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JobWatchTest, ManyWatchersComeAndGoWhileAJobRuns) {
  StartJob(16);
  std::vector<std::thread> watchers;
  for (int w = 0; w < 4; ++w) {
    watchers.emplace_back([this, w] {
      for (int64_t i = 0; i < 5; ++i) {
        Reader leaving(*manager_, "job-a", i);
        EXPECT_GT(leaving.Read().value()->sequence, i);
      }
      Reader staying(*manager_, "job-a", w);
      const auto updates = staying.ReadToEnd();
      for (size_t i = 1; i < updates.size(); ++i) {
        EXPECT_GT(updates[i].sequence, updates[i - 1].sequence);
      }
      EXPECT_EQ(updates.back().state, JobState::kSucceeded);
    });
  }
  for (int i = 0; i < 40; ++i) AddUpdates(50);
  runs_.Return("job-a", Published());
  for (std::thread& watcher : watchers) watcher.join();
}

}  // namespace
}  // namespace sluiced::jobs
