// The Backup call, and what retention leaves of jobs, as clients see them.
#include <filesystem>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "server/store/sqlite_backup.h"
#include "sluice/v1/backup.grpc.pb.h"
#include "tests/support/test_server.h"
#include "tests/support/written_file.h"

namespace sluiced::testing {
namespace {

struct Received {
  std::string file;
  int parts_before_it = 0;
  grpc::Status status;
};

Received ReceiveBackup(const TestServer& server) {
  const auto stub = v1::BackupService::NewStub(server.Connect());
  grpc::ClientContext context;
  const auto stream = stub->Backup(&context, v1::BackupRequest());
  Received received;
  v1::BackupPart part;
  while (stream->Read(&part)) {
    EXPECT_LE(part.done_bytes(), part.total_bytes());
    if (part.data().empty()) ++received.parts_before_it;
    received.file += part.data();
  }
  received.status = stream->Finish();
  return received;
}

std::set<std::string> FilesOf(const TestServer& server) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(server.data_dir())) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

TEST(Backup, IsWhatTheServerKeeps) {
  TestServer server;
  MakeModel(server, "m", 3);
  MakeDataset(server, "d", 200'000);
  const std::set<std::string> before = FilesOf(server);
  const Received received = ReceiveBackup(server);
  ASSERT_TRUE(received.status.ok()) << received.status.error_message();
  EXPECT_GT(received.parts_before_it, 0) << "a client that waits hears how far it is";
  EXPECT_EQ(FilesOf(server), before);

  const sluice::testing::TempDir dir;
  sluice::testing::WriteText(dir.path() + "/file", received.file);
  ASSERT_TRUE(store::RestoreSqliteBackup(dir.path() + "/data", dir.path() + "/file").ok());
  const auto restored = store::OpenSqliteStore(dir.path() + "/data").value();
  EXPECT_TRUE(restored->GetModel("m").ok());
  EXPECT_EQ(restored->GetDataset("d")->rows, 200'000);
}

TEST(Backup, OneAtATimeAndACallerWhoLeavesMakesRoom) {
  TestServer server;
  MakeDataset(server, "d", 200'000);
  const auto stub = v1::BackupService::NewStub(server.Connect());
  grpc::ClientContext context;
  const auto first = stub->Backup(&context, v1::BackupRequest());
  v1::BackupPart part;
  ASSERT_TRUE(first->Read(&part));
  const Seen refused = SeenBy(ReceiveBackup(server).status);
  EXPECT_EQ(refused.code, grpc::StatusCode::RESOURCE_EXHAUSTED) << refused;
  EXPECT_TRUE(refused.retry_seconds) << refused;
  context.TryCancel();
  first->Finish();
  // The server learns of it a little later.
  grpc::StatusCode code = grpc::StatusCode::RESOURCE_EXHAUSTED;
  for (int i = 0; i < 10'000 && code != grpc::StatusCode::OK; ++i) {
    code = ReceiveBackup(server).status.error_code();
  }
  EXPECT_EQ(code, grpc::StatusCode::OK);
}

}  // namespace
}  // namespace sluiced::testing
