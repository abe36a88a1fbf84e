// Space: what is deleted goes back to the disk, and a full disk breaks nothing.
#include <SQLiteCpp/SQLiteCpp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "server/store/sqlite_store.h"
#include "tests/store/store_contract.h"

namespace sluiced::store {
namespace {

constexpr int64_t kMiB = 1 << 20;

std::function<absl::StatusOr<std::string>()> Megabytes(int count) {
  return [count, given = 0]() mutable -> absl::StatusOr<std::string> {
    return given++ < count ? std::string(kMiB, static_cast<char>('a' + given % 26)) : std::string();
  };
}

// No file of this process grows past `bytes` while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(int64_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(bytes);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

int64_t FreePages(const std::string& dir) {
  SQLite::Database file(dir + "/sluice.db", SQLite::OPEN_READWRITE);
  return file.execAndGet("PRAGMA freelist_count").getInt64();
}

TEST(SqliteSpace, DeletedDatasetsGiveTheirSpaceBack) {
  TempDir dir;
  {
    auto store = OpenSqliteStore(dir.path()).value();
    ASSERT_TRUE(store->CreateDataset(SomeDataset("big"), Megabytes(100)).ok());
    ASSERT_TRUE(store->CreateDataset(SomeDataset("small"), Megabytes(2)).ok());
    ASSERT_TRUE(store->DeleteDataset("big").ok());
    EXPECT_EQ(store->GetDatasetChunk("small", 1)->size(), static_cast<size_t>(kMiB));
  }
  EXPECT_EQ(FreePages(dir.path()), 0);
  EXPECT_LT(std::filesystem::file_size(dir.path() + "/sluice.db"), uint64_t{4} << 20);
}

TEST(SqliteSpace, OfAJobsCheckpointsOnlyTheLastIsThere) {
  TempDir dir;
  {
    auto store = OpenSqliteStore(dir.path()).value();
    MakeModel(*store, "wow");
    MakeJob(*store, "job-a", "wow");
    for (char i = 'a'; i <= 'z'; ++i) {
      ASSERT_TRUE(store->SaveCheckpoint("job-a", std::string(kMiB, i)).ok());
    }
    EXPECT_EQ(store->GetCheckpoint("job-a").value(), std::string(kMiB, 'z'));
  }
  SQLite::Database file(dir.path() + "/sluice.db", SQLite::OPEN_READWRITE);
  EXPECT_EQ(file.execAndGet("SELECT count(*) FROM checkpoints").getInt64(), 1);
  EXPECT_LT(std::filesystem::file_size(dir.path() + "/sluice.db"), uint64_t{4} << 20);
}

TEST(SqliteSpace, UpdatesThatAreTrimmedMakeRoomForOthers) {
  TempDir dir;
  {
    auto store = OpenSqliteStore(dir.path()).value();
    MakeModel(*store, "wow");
    MakeJob(*store, "job-a", "wow");
    UpdateRecord update = SomeUpdate(0);
    update.payload = std::string(1000, 'p');
    for (int round = 0; round < 50; ++round) {  // 50,000 in all, each some 4 KB there.
      std::vector<UpdateRecord> updates;
      for (int i = 0; i < 1000; ++i) {
        ++update.sequence;
        updates.push_back(update);
      }
      ASSERT_TRUE(store->AppendUpdates("job-a", updates).ok());
      ASSERT_TRUE(store->TrimUpdates("job-a", 500).ok());
    }
    EXPECT_EQ(store->ListUpdates("job-a", 0, 1000)->size(), 500u);
  }
  EXPECT_LT(std::filesystem::file_size(dir.path() + "/sluice.db"), uint64_t{16} << 20);
}

TEST(SqliteSpace, WhatEndedJobsLeaveBehindGivesItsSpaceBack) {
  TempDir dir;
  {
    auto store = OpenSqliteStore(dir.path()).value();
    MakeModel(*store, "wow");
    JobRecord job = MakeJob(*store, "job-a", "wow");
    for (int64_t epoch = 1; epoch <= 40; ++epoch) {
      ASSERT_TRUE(store->SaveSnapshot("job-a", epoch, std::string(kMiB, 's')).ok());
    }
    job.state = JobState::kCancelled;
    job.end_time = absl::FromUnixSeconds(1);
    ASSERT_TRUE(store->SaveJob(job, {SomeUpdate(1, job.state)}).ok());
    ASSERT_TRUE(store->ForgetJobsEndedBefore(absl::FromUnixSeconds(2)).ok());
  }
  EXPECT_EQ(FreePages(dir.path()), 0);
  EXPECT_LT(std::filesystem::file_size(dir.path() + "/sluice.db"), uint64_t{4} << 20);
}

TEST(SqliteSpace, UploadsThatAKilledProcessLeftAreRemovedAtOpening) {
  TempDir dir;
  OpenSqliteStore(dir.path()).value().reset();
  {
    SQLite::Database file(dir.path() + "/sluice.db", SQLite::OPEN_READWRITE);
    file.exec("INSERT INTO uploads (key) VALUES (7)");
    for (int i = 0; i < 200; ++i) {
      SQLite::Statement chunk(file, "INSERT INTO chunks VALUES (7, ?, zeroblob(10000))");
      chunk.bind(1, i);
      chunk.exec();
    }
  }
  OpenSqliteStore(dir.path()).value().reset();
  SQLite::Database file(dir.path() + "/sluice.db", SQLite::OPEN_READONLY);
  EXPECT_EQ(file.execAndGet("SELECT count(*) FROM chunks").getInt(), 0);
  EXPECT_EQ(file.execAndGet("SELECT count(*) FROM uploads").getInt(), 0);
}

TEST(SqliteSpace, AFullDiskIsAClearErrorAndBreaksNothing) {
  TempDir dir;
  auto store = OpenSqliteStore(dir.path()).value();
  MakeModel(*store, "wow");
  MakeJob(*store, "job-a", "wow");
  {
    FileSizeLimit limit(8 * kMiB);
    const absl::Status full = store->CreateDataset(SomeDataset("big"), Megabytes(64));
    EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
    EXPECT_EQ(full.message(), "the disk is full");
    EXPECT_EQ(store->SaveCheckpoint("job-a", std::string(32 * kMiB, 'c')).code(),
              absl::StatusCode::kResourceExhausted);
    // What was there is read, and what fits is written.
    EXPECT_TRUE(store->GetModel("wow").ok());
    EXPECT_EQ(store->GetCheckpoint("job-a").value(), "");
    EXPECT_EQ(store->GetDataset("big").status().code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(store->AppendUpdates("job-a", {SomeUpdate(1)}).ok());
    MakeModel(*store, "small");
  }
  ASSERT_TRUE(store->CreateDataset(SomeDataset("big"), Megabytes(16)).ok());
  EXPECT_EQ(store->GetDatasetChunk("big", 15)->size(), static_cast<size_t>(kMiB));
  store.reset();
  store = OpenSqliteStore(dir.path()).value();
  EXPECT_TRUE(store->GetModel("small").ok());
  EXPECT_EQ(store->ListUpdates("job-a", 0, 9)->size(), 1u);
}

// Unmounts what it mounted; needs root.
class SmallDisk {
 public:
  explicit SmallDisk(int megabytes)
      : mounted_(mount("tmpfs", dir_.path().c_str(), "tmpfs", 0,
                       absl::StrCat("size=", megabytes, "m").c_str()) == 0) {}
  ~SmallDisk() {
    if (mounted_) umount2(dir_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  std::string path() const { return dir_.path() + "/data"; }

 private:
  TempDir dir_;
  const bool mounted_;
};

TEST(SqliteSpace, ADiskFilledToTheLastByteIsUsableOnceSomethingIsDeleted) {
  SmallDisk disk(16);
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk needs root";
  auto store = OpenSqliteStore(disk.path()).value();
  MakeModel(*store, "wow");
  MakeJob(*store, "job-a", "wow");
  ASSERT_TRUE(store->CreateDataset(SomeDataset("kept"), Megabytes(2)).ok());
  absl::Status full;
  int updates = 0;
  for (; full.ok() && updates < 10'000; ++updates) {
    UpdateRecord update = SomeUpdate(updates + 1);
    update.payload = std::string(20'000, 'u');
    full = store->AppendUpdates("job-a", {update});
  }
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted) << full;
  EXPECT_EQ(store->CreateDataset(SomeDataset("big"), Megabytes(20)).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store->GetDatasetChunk("kept", 1)->size(), static_cast<size_t>(kMiB));
  EXPECT_EQ(store->GetJob("job-a")->last_sequence, updates - 1);

  store.reset();
  auto reopened = OpenSqliteStore(disk.path());
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  store = *std::move(reopened);
  EXPECT_EQ(store->ListUpdates("job-a", 0, 10'000)->size(), static_cast<size_t>(updates - 1));
  const absl::Status deleted = store->DeleteDataset("kept");
  ASSERT_TRUE(deleted.ok()) << deleted;
  MakeModel(*store, "after");
  EXPECT_TRUE(store->SaveCheckpoint("job-a", std::string(kMiB / 2, 'c')).ok());
}

TEST(SqliteSpace, RoomThatADeletionFreedOnAFullDiskIsUsedAgain) {
  for (int megabytes = 17; megabytes <= 33; megabytes += 4) {
    SmallDisk disk(megabytes);
    if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk needs root";
    auto store = OpenSqliteStore(disk.path()).value();
    int stored = 0;
    const auto upload = [&](int index) {
      return store->CreateDataset(SomeDataset(absl::StrCat("d", index)), Megabytes(4));
    };
    while (stored < 20 && upload(stored).ok()) ++stored;
    EXPECT_GT(stored, 0);
    EXPECT_LT(stored, 20);
    EXPECT_TRUE(store->DeleteDataset("d0").ok());
    const absl::Status again = upload(0);
    EXPECT_TRUE(again.ok()) << megabytes << " MiB: " << again;
  }
}

TEST(SqliteSpace, AValueThatIsTooLargeIsRefusedWithoutReadingIt) {
  TempDir dir;
  auto store = OpenSqliteStore(dir.path()).value();
  MakeModel(*store, "wow");
  MakeJob(*store, "job-a", "wow");
  const char byte = 0;
  for (size_t size : {size_t{1} << 30, size_t{1} << 31, size_t{1} << 40}) {
    const absl::string_view huge(&byte, size);  // Only its size may be looked at.
    const absl::Status saved = store->SaveCheckpoint("job-a", huge);
    EXPECT_EQ(saved.code(), absl::StatusCode::kResourceExhausted) << size << ": " << saved;
  }
  EXPECT_EQ(store->GetCheckpoint("job-a").value(), "");
}

}  // namespace
}  // namespace sluiced::store
