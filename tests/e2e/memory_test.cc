// Requests and trainings leave the server's memory where it was.
//   SLUICE_MEMORY_REQUESTS (20000)   SLUICE_MEMORY_EPOCHS (300)
#include <string>

#include "gtest/gtest.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

// Allocators keep some of what is freed; a leak of one small message a request or
// of one graph a step (the seed's own loop: 5.8 MiB an epoch) goes far beyond.
constexpr int64_t kSlack = int64_t{48} << 20;

class MemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.Start({dir_.path()})) << server_.Log();
    client_ = server_.Connect();
    ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "m", 5000));
  }

  void Request(int64_t count) {
    const Matrix points = CountingRows(16, 3, 0);
    for (int64_t i = 0; i < count; ++i) {
      ASSERT_SLUICE_OK(client_->LogProb("m", points).status());
      if (i % 4 == 0) ASSERT_SLUICE_OK(client_->Sample("m", 64, {}).status());
      if (i % 16 == 0) {
        ASSERT_FALSE(client_->LogProb("nobody", points).ok());
      }
    }
  }

  void Train(int64_t epochs) {
    const auto job = client_->CreateTrainJob(TrainRequestFor("m", epochs));
    ASSERT_SLUICE_OK(job.status());
    ASSERT_SLUICE_OK(client_->WatchTrainJob(job->id, 0, [](const TrainUpdate&) { return true; }));
  }

  TempDir dir_;
  ServerProcess server_;
  std::unique_ptr<Client> client_;
};

TEST_F(MemoryTest, RequestsLeaveItFlat) {
  ASSERT_NO_FATAL_FAILURE(Request(1000));
  const int64_t before = server_.ResidentBytes();
  ASSERT_NO_FATAL_FAILURE(Request(FromEnvironment("SLUICE_MEMORY_REQUESTS", 20000)));
  const int64_t after = server_.ResidentBytes();
  RecordProperty("grown_kib", static_cast<int>((after - before) / 1024));
  EXPECT_LT(after, before + kSlack);
}

TEST_F(MemoryTest, ALongTrainingLeavesItFlat) {
  ASSERT_NO_FATAL_FAILURE(Train(20));
  const int64_t before = server_.ResidentBytes();
  ASSERT_NO_FATAL_FAILURE(Train(FromEnvironment("SLUICE_MEMORY_EPOCHS", 300)));
  const int64_t after = server_.ResidentBytes();
  RecordProperty("grown_kib", static_cast<int>((after - before) / 1024));
  EXPECT_LT(after, before + kSlack);
}

}  // namespace
}  // namespace sluice::testing
