// A data directory that cannot be written to, at the start or suddenly.
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/faults.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;

TEST(BrokenDisk, AReadOnlyDirectoryIsSaidClearlyAtTheStart) {
  const TempDir dir;
  ServerProcess server;
  ASSERT_TRUE(server.Start({dir.path()})) << server.Log();
  server.Terminate();
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount(dir.path().c_str(), dir.path().c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      mount(nullptr, dir.path().c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
    GTEST_SKIP() << "mounting is not permitted here";
  }
  EXPECT_FALSE(server.Start({dir.path()}));
  EXPECT_EQ(server.Wait().code, 1);
  EXPECT_THAT(server.Log(), HasSubstr(dir.path()));
  EXPECT_THAT(server.Log(), HasSubstr("Read-only file system"));
  umount(dir.path().c_str());
}

struct Breakage {
  const char* name;
  int error;
  Code code;
  const char* text;
};

class BrokenDiskTest : public ::testing::TestWithParam<Breakage> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.Start({dir_.path()})) << server_.Log();
    client_ = server_.Connect();
    ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "m", 2000));
  }

  Faults faults_;
  TempDir dir_;
  ServerProcess server_;
  std::unique_ptr<Client> client_;
};

INSTANTIATE_TEST_SUITE_P(
    Errors, BrokenDiskTest,
    ::testing::Values(Breakage{"ReadOnly", EROFS, Code::kUnavailable, "read-only"},
                      Breakage{"Full", ENOSPC, Code::kResourceExhausted, "disk is full"},
                      Breakage{"OverQuota", EDQUOT, Code::kResourceExhausted, "disk is full"},
                      Breakage{"Defective", EIO, Code::kInternal, "disk I/O error"}),
    [](const auto& breakage) { return breakage.param.name; });

TEST_P(BrokenDiskTest, WritesFailClearlyTheRestIsServedAndAllIsWellOnceItHeals) {
  const auto draws = client_->Sample("m", 100, {.seed = 1});
  ASSERT_SLUICE_OK(draws.status());
  faults_.FailWrites(GetParam().error);
  for (int i = 0; i < 3; ++i) {
    const Status refused = client_->CreateModel("new", SmallFlow(), {}).status();
    EXPECT_EQ(refused.code, GetParam().code) << refused.ToString();
    EXPECT_THAT(refused.message, HasSubstr(GetParam().text));
    const auto served = client_->Sample("m", 100, {.seed = 1});
    ASSERT_SLUICE_OK(served.status());
    EXPECT_EQ(served->x.values, draws->x.values);
    ASSERT_SLUICE_OK(client_->GetDataset("m").status());
    ASSERT_SLUICE_OK(client_->DownloadDataset("m").status());
  }
  faults_.HealWrites();
  ASSERT_SLUICE_OK(client_->CreateModel("new", SmallFlow(), {}).status());
  server_.Kill();
  ASSERT_TRUE(server_.Start({dir_.path()})) << server_.Log();
  ASSERT_SLUICE_OK(server_.Connect()->GetModel("new").status());
}

// What it has learnt is in its last checkpoint; why it ended is stored when that is possible.
TEST_P(BrokenDiskTest, ATrainingFailsWithTheReason) {
  const auto job = client_->CreateTrainJob(TrainRequestFor("m", 1'000'000));
  ASSERT_SLUICE_OK(job.status());
  const Status watched = client_->WatchTrainJob(job->id, 0, [&](const TrainUpdate& update) {
    if (update.epoch >= 5) faults_.FailWrites(GetParam().error);
    return update.epoch < 5;
  });
  EXPECT_EQ(watched.code, Code::kCancelled) << watched.ToString();
  while (faults_.failed_writes() == 0) {
    ASSERT_TRUE(client_->Sample("m", 100, {}).ok());
  }
  faults_.HealWrites();
  ASSERT_SLUICE_OK(client_->WatchTrainJob(job->id, 0, [](const TrainUpdate&) { return true; }));
  const auto ended = client_->GetTrainJob(job->id);
  ASSERT_SLUICE_OK(ended.status());
  EXPECT_EQ(ended->state, JobState::kFailed);
  EXPECT_THAT(ended->error, HasSubstr(GetParam().text));
}

}  // namespace
}  // namespace sluice::testing
