// What is SQLite's own: the lock, and files that are not ours.
#include "server/store/sqlite_store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "tests/store/store_contract.h"

namespace sluiced::store {
namespace {

TEST(SqliteStore, ADirectoryOwnedTwiceNamesItsOwner) {
  TempDir dir;
  auto owner = OpenSqliteStore(dir.path());
  ASSERT_TRUE(owner.ok()) << owner.status();
  auto second = OpenSqliteStore(dir.path());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  const std::string message(second.status().message());
  EXPECT_NE(message.find(dir.path()), std::string::npos) << message;
  EXPECT_NE(message.find("process " + std::to_string(getpid())), std::string::npos) << message;
  MakeModel(**owner, "wow");  // The owner is not disturbed.
  owner->reset();
  EXPECT_TRUE(OpenSqliteStore(dir.path()).ok());
}

TEST(SqliteStore, MakesThePrivateDirectoryAndItsParents) {
  TempDir dir;
  const std::string path = dir.path() + "/a/b";
  ASSERT_TRUE(OpenSqliteStore(path + "/").ok());
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST(SqliteStore, RefusesAFileThatIsNoDatabase) {
  TempDir dir;
  std::ofstream(dir.path() + "/sluice.db") << std::string(5000, 'x');
  const absl::Status status = OpenSqliteStore(dir.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(std::string(status.message()).find("not a database"), std::string::npos) << status;
}

TEST(SqliteStore, RefusesPathsThatCannotBeDirectories) {
  EXPECT_FALSE(OpenSqliteStore("").ok());
  EXPECT_FALSE(OpenSqliteStore("/dev/null/data").ok());
}

TEST(SqliteStore, RefusesAnotherProgramsDatabaseAndANewerFormat) {
  TempDir dir;
  const std::string path = dir.path() + "/sluice.db";
  const int flags = SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
  SQLite::Database(path, flags).exec("CREATE TABLE models (x)");
  EXPECT_EQ(OpenSqliteStore(dir.path()).status().code(), absl::StatusCode::kFailedPrecondition);
  SQLite::Database(path, flags).exec("PRAGMA user_version=3");
  const absl::Status newer = OpenSqliteStore(dir.path()).status();
  EXPECT_EQ(newer.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(newer.message()).find("format is 3"), std::string::npos) << newer;
}

TEST(SqliteStore, OpensADirectoryOfFormat1AndGoesOnWithIt) {
  TempDir dir;
  {
    std::ifstream file(std::string(SLUICE_TEST_DATA) + "/store/format1.sql");
    const std::string sql{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(sql.empty());
    SQLite::Database(dir.path() + "/sluice.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec(sql);
  }
  for (int stalled : {0, 2}) {  // The second time it is of this release's format already.
    auto store = OpenSqliteStore(dir.path());
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->GetParameters("wow", 0).value(), "parameters");
    EXPECT_EQ((*store)->GetJob("ended")->error, "why");
    JobRecord ran = (*store)->ListUnfinishedJobs()->at(0);
    EXPECT_EQ(ran.id, "ran");
    EXPECT_EQ(ran.state, JobState::kRunning);
    EXPECT_EQ(ran.attempt, 2);
    EXPECT_EQ(ran.stalled_attempts, stalled);
    EXPECT_EQ(ran.last_sequence, 1);
    EXPECT_EQ((*store)->GetCheckpoint("ran").value(), "kept");
    ran.stalled_attempts = 2;
    ASSERT_TRUE((*store)->SaveJob(ran, {}).ok());
  }
}

TEST(SqliteStore, OpensAfterAProcessDiedBetweenItsFirstSteps) {
  TempDir dir;
  {
    SQLite::Database half(dir.path() + "/sluice.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    half.exec("PRAGMA auto_vacuum=INCREMENTAL");
    half.execAndGet("PRAGMA journal_mode=WAL");
  }
  auto store = OpenSqliteStore(dir.path());
  ASSERT_TRUE(store.ok()) << store.status();
  MakeModel(**store, "wow");
}

}  // namespace
}  // namespace sluiced::store
