// Backups: whole, of one moment, and nothing else is taken for one.
#include "server/store/sqlite_backup.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "server/common/errors.h"
#include "server/store/backup_format.h"
#include "server/store/sqlite_store.h"
#include "tests/store/store_contract.h"

namespace sluiced::store {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMiB = size_t{1} << 20;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> FilesIn(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

class SqliteBackup : public ::testing::Test {
 protected:
  void SetUp() override { ReopenStore(); }

  void ReopenStore() {
    store_.reset();
    store_ = OpenSqliteStore(data_dir_).value();
  }

  // All of it, as a file. `between` is called after each part.
  std::string Take(const std::function<void()>& between = [] {}) {
    auto backup = store_->StartBackup();
    EXPECT_TRUE(backup.ok()) << backup.status();
    std::ofstream out(file_, std::ios::binary);
    for (;;) {
      const auto part = (*backup)->Next();
      EXPECT_TRUE(part.ok()) << part.status();
      if (!part.ok() || !*part) return file_;
      EXPECT_LE((*part)->done, (*part)->total);
      out << (*part)->bytes;
      between();
    }
  }

  // A store on what was restored.
  std::unique_ptr<Store> Restore(const std::string& file) {
    const std::string to = Path("restored");
    const absl::Status restored = RestoreSqliteBackup(to, file);
    EXPECT_TRUE(restored.ok()) << restored;
    auto store = OpenSqliteStore(to);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  absl::Status TryRestore(const std::string& file) {
    return RestoreSqliteBackup(Path("refused"), file);
  }

  std::string Path(const std::string& name) const { return dir_.path() + "/" + name; }

  TempDir dir_;
  const std::string data_dir_ = Path("data");
  const std::string file_ = Path("backup");
  std::unique_ptr<Store> store_;
};

TEST_F(SqliteBackup, HoldsAllThereIs) {
  MakeModel(*store_, "wow");
  ASSERT_TRUE(store_->SetAlias("wow", "best", 0).ok());
  ASSERT_TRUE(
      store_->CreateDataset(SomeDataset("rows"), Chunks({std::string(3 * kMiB, 'r'), "end"})).ok());
  MakeJob(*store_, "job-a", "wow");
  ASSERT_TRUE(store_->AppendUpdates("job-a", {SomeUpdate(1)}).ok());
  ASSERT_TRUE(store_->SaveCheckpoint("job-a", "kept").ok());
  ASSERT_TRUE(store_->SaveSnapshot("job-a", 7, "seventh").ok());
  const auto restored = Restore(Take());
  EXPECT_EQ(restored->GetModel("wow")->aliases.at("best"), 0);
  EXPECT_EQ(restored->GetParameters("wow", 0).value(), store_->GetParameters("wow", 0).value());
  EXPECT_EQ(restored->GetDatasetChunk("rows", 0).value(), std::string(3 * kMiB, 'r'));
  EXPECT_EQ(restored->GetDatasetChunk("rows", 1).value(), "end");
  EXPECT_TRUE(restored->GetJob("job-a").value() == store_->GetJob("job-a").value());
  EXPECT_EQ(restored->ListUpdates("job-a", 0, 9)->size(), 1u);
  EXPECT_EQ(restored->GetCheckpoint("job-a").value(), "kept");
  EXPECT_EQ(restored->GetSnapshot("job-a", 7).value(), "seventh");
  MakeModel(*restored, "next");  // It goes on from there.
}

TEST_F(SqliteBackup, IsOfTheMomentItBeganWhoeverWritesMeanwhile) {
  ASSERT_TRUE(
      store_->CreateDataset(SomeDataset("big"), Chunks(std::vector<std::string>(20, std::string(kMiB, 'b'))))
          .ok());
  MakeModel(*store_, "wow");
  MakeJob(*store_, "job-a", "wow");
  int64_t written = 0;
  const auto restored = Restore(Take([&] {
    ++written;
    ASSERT_TRUE(store_->AppendUpdates("job-a", {SomeUpdate(written)}).ok());
    ASSERT_TRUE(store_->SaveCheckpoint("job-a", std::string(kMiB / 4, 'c')).ok());
    MakeModel(*store_, "later-" + std::to_string(written));
  }));
  EXPECT_GT(written, 20);
  EXPECT_EQ(restored->ListModels(Page{})->size(), 1u);
  EXPECT_EQ(restored->GetJob("job-a")->last_sequence, 0);
  EXPECT_EQ(restored->GetCheckpoint("job-a").value(), "");
  EXPECT_EQ(restored->GetDatasetChunk("big", 19).value(), std::string(kMiB, 'b'));
  EXPECT_EQ(store_->GetJob("job-a")->last_sequence, written);
}

TEST_F(SqliteBackup, OneAtATime) {
  auto first = store_->StartBackup();
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = store_->StartBackup().status();
  EXPECT_EQ(second.code(), absl::StatusCode::kResourceExhausted) << second;
  EXPECT_TRUE(RetryDelayOf(second));
  first->reset();
  EXPECT_TRUE(store_->StartBackup().ok());
}

TEST_F(SqliteBackup, LeavesNothingBehindHoweverFarItCame) {
  MakeModel(*store_, "wow");
  const std::set<std::string> before = FilesIn(data_dir_);
  for (int parts : {0, 1, 2, 1000}) {
    auto backup = store_->StartBackup().value();
    for (int i = 0; i < parts && backup->Next()->has_value(); ++i) {
    }
    backup.reset();
    EXPECT_EQ(FilesIn(data_dir_), before) << parts;
  }
  // As a process that was killed would.
  std::ofstream(CopyPath(data_dir_)) << "half";
  std::ofstream(CopyPath(data_dir_) + "-wal") << "half";
  std::ofstream(RestorePath(data_dir_)) << "half";
  ReopenStore();
  EXPECT_EQ(FilesIn(data_dir_), before);
}

TEST_F(SqliteBackup, MayOutliveTheStore) {
  MakeModel(*store_, "wow");
  auto backup = store_->StartBackup().value();
  ASSERT_TRUE(backup->Next().ok());
  store_.reset();
  std::string bytes;
  for (;;) {
    const auto part = backup->Next();
    ASSERT_TRUE(part.ok()) << part.status();
    if (!*part) break;
    bytes += (*part)->bytes;
  }
  EXPECT_TRUE(bytes.starts_with("SQLite format 3"));
}

TEST_F(SqliteBackup, ARunUnderWayIsNotSuspectedOfTheServersDeath) {
  MakeModel(*store_, "wow");
  const auto move = [this](const std::string& id, JobState state, int stalled) {
    JobRecord job = MakeJob(*store_, id, "wow");
    job.state = state;
    job.stalled_attempts = stalled;
    ASSERT_TRUE(store_->SaveJob(job, {}).ok());
  };
  move("first-attempt", JobState::kRunning, 1);
  move("third-attempt", JobState::kRunning, 3);
  move("has-saved", JobState::kRunning, 0);
  move("waits", JobState::kQueued, 2);
  const auto restored = Restore(Take());
  EXPECT_EQ(restored->GetJob("first-attempt")->stalled_attempts, 0);
  EXPECT_EQ(restored->GetJob("third-attempt")->stalled_attempts, 2);
  EXPECT_EQ(restored->GetJob("has-saved")->stalled_attempts, 0);
  EXPECT_EQ(restored->GetJob("waits")->stalled_attempts, 2);
  EXPECT_EQ(store_->GetJob("third-attempt")->stalled_attempts, 3);
}

TEST_F(SqliteBackup, IsNotRestoredOverData) {
  MakeModel(*store_, "wow");
  Take();
  const absl::Status owned = RestoreSqliteBackup(data_dir_, file_);
  EXPECT_EQ(owned.code(), absl::StatusCode::kFailedPrecondition) << owned;
  store_.reset();
  const absl::Status taken = RestoreSqliteBackup(data_dir_, file_);
  EXPECT_EQ(taken.code(), absl::StatusCode::kFailedPrecondition) << taken;
  EXPECT_NE(std::string(taken.message()).find("has a database already"), std::string::npos);
  ReopenStore();
  EXPECT_TRUE(store_->GetModel("wow").ok());
}

TEST_F(SqliteBackup, NothingElseIsTakenForOne) {
  MakeModel(*store_, "wow");
  ASSERT_TRUE(store_->CreateDataset(SomeDataset("rows"), Chunks({std::string(kMiB, 'r')})).ok());
  const std::string whole = Contents(Take());
  const auto expect = [this](const std::string& bytes, const std::string& why) {
    std::ofstream(Path("bad"), std::ios::binary) << bytes;
    const absl::Status status = TryRestore(Path("bad"));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_NE(std::string(status.message()).find(why), std::string::npos) << why << ": " << status;
    EXPECT_FALSE(fs::exists(DatabasePath(Path("refused")))) << why;
    EXPECT_FALSE(fs::exists(RestorePath(Path("refused")))) << why;
  };
  expect("", "is no backup");
  expect(std::string(5000, 'x'), "not a database");
  expect(whole.substr(0, whole.size() - 1), "is damaged: it has");
  expect(whole + "x", "is damaged: it has");
  EXPECT_FALSE(fs::exists(Path("refused"))) << "what is refused at a glance leaves nothing behind";
  std::string broken = whole;
  std::fill(broken.begin() + 4096, broken.begin() + 8192, '\x7f');
  expect(broken, "is damaged");

  ReopenStore();
  store_.reset();
  expect(Contents(DatabasePath(data_dir_)), "a database that a server works on");
  SQLite::Database(Path("other"), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE models (x)");
  expect(Contents(Path("other")), "another program's");
  EXPECT_EQ(TryRestore(Path("nowhere")).code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteBackup, OfANewerReleaseIsRefusedAndOfAnOlderOneIsMigrated) {
  Take();
  SQLite::Database(file_, SQLite::OPEN_READWRITE).exec("PRAGMA user_version=3");
  const absl::Status newer = TryRestore(file_);
  EXPECT_EQ(newer.code(), absl::StatusCode::kFailedPrecondition) << newer;
  EXPECT_NE(std::string(newer.message()).find("format is 3"), std::string::npos) << newer;
  EXPECT_FALSE(fs::exists(Path("refused")));

  const std::string old = Path("old");
  {
    SQLite::Database file(old, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    file.exec(Contents(std::string(SLUICE_TEST_DATA) + "/store/format1.sql"));
    file.exec("PRAGMA application_id=" + std::to_string(kApplicationId));
  }
  const auto restored = Restore(old);
  EXPECT_EQ(restored->GetParameters("wow", 0).value(), "parameters");
  EXPECT_EQ(restored->GetJob("ran")->stalled_attempts, 0);
}

}  // namespace
}  // namespace sluiced::store
