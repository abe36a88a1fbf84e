#include <thread>

#include "server/common/errors.h"
#include "tests/store/store_contract.h"

namespace sluiced::store {
namespace {

using DatasetContract = StoreContract;

TEST_P(DatasetContract, GivesBackChunksAsTheyWereWrittenAlsoAfterReopening) {
  const std::vector<std::string> chunks = {std::string(1 << 20, 'a'), std::string("\0b", 2), "c"};
  ASSERT_TRUE(store().CreateDataset(SomeDataset("wow"), Chunks(chunks)).ok());
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_TRUE(store().GetDataset("wow").value() == SomeDataset("wow"));
    for (size_t i = 0; i < chunks.size(); ++i) {
      EXPECT_EQ(store().GetDatasetChunk("wow", static_cast<int64_t>(i)).value(), chunks[i]);
    }
    for (int64_t past : {int64_t{3}, int64_t{-1}, int64_t{1} << 40}) {
      EXPECT_EQ(store().GetDatasetChunk("wow", past).status().code(), absl::StatusCode::kNotFound);
    }
    Reopen();
  }
}

TEST_P(DatasetContract, LeavesNothingOfAnUploadThatFails) {
  int given = 0;
  const absl::Status created =
      store().CreateDataset(SomeDataset("wow"), [&]() -> absl::StatusOr<std::string> {
        if (++given <= 3) return std::string(1000, 'x');
        return absl::CancelledError("the client went away");
      });
  EXPECT_EQ(created.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(store().GetDataset("wow").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(store().CreateDataset(SomeDataset("wow"), Chunks({"fresh"})).ok());
  EXPECT_EQ(store().GetDatasetChunk("wow", 0).value(), "fresh");
  EXPECT_EQ(store().GetDatasetChunk("wow", 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(DatasetContract, AnUploadIsUnseenUntilItsEndAndKeepsNobodyWaiting) {
  int given = 0;
  const absl::Status created =
      store().CreateDataset(SomeDataset("slow"), [&]() -> absl::StatusOr<std::string> {
        // Every other call goes on in the middle of the upload.
        EXPECT_EQ(store().GetDataset("slow").status().code(), absl::StatusCode::kNotFound);
        MakeModel(store(), "model-" + std::to_string(given));
        EXPECT_TRUE(store()
                        .CreateDataset(SomeDataset("fast-" + std::to_string(given)), Chunks({"f"}))
                        .ok());
        return ++given <= 2 ? "chunk " + std::to_string(given) : std::string();
      });
  ASSERT_TRUE(created.ok()) << created;
  EXPECT_EQ(store().GetDatasetChunk("slow", 1).value(), "chunk 2");
  EXPECT_EQ(store().GetDatasetChunk("fast-0", 0).value(), "f");
}

TEST_P(DatasetContract, OfTwoUploadsUnderOneNameTheFirstToEndWins) {
  int given = 0;
  const absl::Status loser =
      store().CreateDataset(SomeDataset("wow"), [&]() -> absl::StatusOr<std::string> {
        if (given++ > 0) return std::string();
        EXPECT_TRUE(store().CreateDataset(SomeDataset("wow"), Chunks({"winner"})).ok());
        return std::string("loser");
      });
  EXPECT_EQ(loser.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ResourceOf(loser).value().name, "datasets/wow");
  EXPECT_EQ(store().GetDatasetChunk("wow", 0).value(), "winner");
}

TEST_P(DatasetContract, ATakenNameIsRefusedBeforeAnythingIsRead) {
  ASSERT_TRUE(store().CreateDataset(SomeDataset("wow"), Chunks({"a"})).ok());
  bool read = false;
  const absl::Status again =
      store().CreateDataset(SomeDataset("wow"), [&]() -> absl::StatusOr<std::string> {
        read = true;
        return std::string();
      });
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_FALSE(read);
}

TEST_P(DatasetContract, IsKeptWhileAJobReadsItAndThenDeleted) {
  MakeModel(store(), "model");
  ASSERT_TRUE(store().CreateDataset(SomeDataset("wow"), Chunks({"a", "b"})).ok());
  JobRecord job = SomeJob("job-a", "model");
  job.dataset = "wow";
  ASSERT_TRUE(store().CreateJob(job).ok());
  EXPECT_EQ(store().DeleteDataset("wow").code(), absl::StatusCode::kFailedPrecondition);
  MoveJob(store(), "job-a", JobState::kFailed);
  ASSERT_TRUE(store().DeleteDataset("wow").ok());
  EXPECT_EQ(store().GetDatasetChunk("wow", 0).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().DeleteDataset("wow").code(), absl::StatusCode::kNotFound);
}

TEST_P(DatasetContract, ListsPagesById) {
  for (const char* id : {"b", "a", "c"}) {
    ASSERT_TRUE(store().CreateDataset(SomeDataset(id), Chunks({"x"})).ok());
  }
  auto page = store().ListDatasets(Page{2, ""}).value();
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[1].id, "b");
  EXPECT_EQ(store().ListDatasets(Page{2, "b"}).value().at(0).id, "c");
}

TEST_P(DatasetContract, TakesManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        EXPECT_TRUE(store().CreateDataset(SomeDataset(id), Chunks({id, "end"})).ok());
        EXPECT_EQ(store().GetDatasetChunk(id, 0).value(), id);
        EXPECT_TRUE(store().ListDatasets({}).ok());
        if (i % 2 == 0) {
          EXPECT_TRUE(store().DeleteDataset(id).ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store().ListDatasets({}).value().size(), 20u);
}

INSTANTIATE_TEST_SUITE_P(AllBackends, DatasetContract, ::testing::ValuesIn(AllBackends()),
                         BackendName);

}  // namespace
}  // namespace sluiced::store
