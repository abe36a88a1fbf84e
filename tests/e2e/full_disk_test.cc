// A disk that fills up: the upload fails with a clear error, nothing of it stays,
// what was there stays, and the server serves on.
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kRoom = int64_t{24} << 20;

// 4 MB each.
Status Upload(Client& client, int index) {
  return client
      .UploadRows(std::string("d").append(std::to_string(index)), CountingRows(100000, 5, index),
                  "test", "")
      .status();
}

void ExpectServesOnAFullDisk(ServerProcess& server, const ServerOptions& options) {
  ASSERT_TRUE(server.Start(options)) << server.Log();
  auto client = server.Connect();
  ASSERT_SLUICE_OK(client->CreateModel("m", SmallFlow(), {}).status());
  int stored = 0;
  Status status;
  while (stored < 20 && (status = Upload(*client, stored)).ok()) ++stored;
  EXPECT_GT(stored, 0);
  EXPECT_EQ(status.code, Code::kResourceExhausted) << status.ToString();
  EXPECT_THAT(status.message, HasSubstr("disk is full"));

  for (int start = 0; start < 2; ++start) {
    const auto datasets = client->ListDatasets();
    ASSERT_SLUICE_OK(datasets.status());
    EXPECT_EQ(static_cast<int>(datasets->size()), stored);
    const auto rows = client->DownloadDataset("d0");
    ASSERT_SLUICE_OK(rows.status());
    EXPECT_EQ(rows->values, CountingRows(100000, 5, 0).values);
    EXPECT_TRUE(client->Sample("m", 100, {}).ok());
    if (start == 1) break;
    server.Kill();
    ASSERT_TRUE(server.Start(options)) << "on a full disk: " << server.Log();
    client = server.Connect();
  }
  ASSERT_SLUICE_OK(client->DeleteDataset("d0"));
}

// Both tests leave the machine as it was: the tmpfs is seen by this process and
// its server alone, and goes with them.
TEST(FullDisk, OfATmpfs) {
  const TempDir dir;
  const std::string options = "size=" + std::to_string(kRoom);
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", dir.path().c_str(), "tmpfs", 0, options.c_str()) != 0) {
    GTEST_SKIP() << "mounting is not permitted here; FullDisk.OfAFileSizeLimit still runs";
  }
  ServerProcess server;
  ASSERT_NO_FATAL_FAILURE(ExpectServesOnAFullDisk(server, {dir.path() + "/data"}));
  // Room that was freed is used again.
  ASSERT_SLUICE_OK(Upload(*server.Connect(), 0));
  server.Kill();
  umount(dir.path().c_str());
}

TEST(FullDisk, OfAFileSizeLimit) {
  const TempDir dir;
  ServerProcess server;
  ASSERT_NO_FATAL_FAILURE(ExpectServesOnAFullDisk(server, {dir.path(), 0, kRoom / 2}));
  // A limit of one file is not lifted by freeing room in it: here the limit goes.
  server.Kill();
  ASSERT_TRUE(server.Start({dir.path()})) << "without the limit: " << server.Log();
  ASSERT_SLUICE_OK(Upload(*server.Connect(), 0));
}

}  // namespace
}  // namespace sluice::testing
