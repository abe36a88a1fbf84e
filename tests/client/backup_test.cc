#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sluice/v1/backup.grpc.pb.h"
#include "tests/client/fake_server.h"

namespace sluice {
namespace {

class FakeBackup final : public v1::BackupService::Service {
 public:
  bool fail = false;

  grpc::Status Backup(grpc::ServerContext*, const v1::BackupRequest*,
                      grpc::ServerWriter<v1::BackupPart>* stream) override {
    for (const char* data : {"", "", "half", " and half"}) {
      v1::BackupPart part;
      part.set_data(data);
      part.set_done_bytes(++done);
      part.set_total_bytes(13);
      if (!stream->Write(part)) return grpc::Status::CANCELLED;
    }
    return fail ? grpc::Status(grpc::RESOURCE_EXHAUSTED, "full") : grpc::Status::OK;
  }

  int64_t done = 0;
};

TEST(ClientBackup, HandsOverThePartsInOrder) {
  FakeBackup service;
  const FakeServer server({&service});
  std::string file;
  std::vector<int64_t> done;
  const Status status = server.Connect()->Backup([&](const Client::BackupPart& part) {
    file += part.bytes;
    done.push_back(part.done);
    EXPECT_EQ(part.total, 13);
    return Status{};
  });
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(file, "half and half");
  EXPECT_EQ(done, (std::vector<int64_t>{1, 2, 3, 4}));
}

TEST(ClientBackup, TheCallersErrorEndsItAndTheServersIsTold) {
  FakeBackup service;
  const FakeServer server({&service});
  int parts = 0;
  const Status mine = server.Connect()->Backup([&](const Client::BackupPart&) {
    ++parts;
    return Failure(Code::kResourceExhausted, "my disk is full");
  });
  EXPECT_EQ(mine.message, "my disk is full");
  EXPECT_EQ(parts, 1);
  service.fail = true;
  const Status theirs =
      server.Connect()->Backup([](const Client::BackupPart&) { return Status{}; });
  EXPECT_EQ(theirs.code, Code::kResourceExhausted);
  EXPECT_EQ(theirs.message, "full");
}

}  // namespace
}  // namespace sluice
