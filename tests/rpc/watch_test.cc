// Trainings and those who watch them.
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using Updates = std::vector<v1::TrainUpdate>;
constexpr int64_t kEpochs = 20;

class Watching : public ::testing::Test {
 protected:
  Watching() {
    MakeModel(server_, "wow", 3);
    MakeDataset(server_, "roll", 200);
  }

  v1::CreateTrainJobRequest JobRequest(const std::string& id, int64_t epochs) {
    v1::CreateTrainJobRequest request;
    request.set_train_job_id(id);
    request.mutable_train_job()->set_model("models/wow");
    request.mutable_train_job()->set_dataset("datasets/roll");
    request.mutable_train_job()->mutable_config()->set_epochs(epochs);
    return request;
  }
  v1::TrainJob StartJob(const v1::CreateTrainJobRequest& request) {
    grpc::ClientContext context;
    v1::TrainJob job;
    const grpc::Status status = server_.training->CreateTrainJob(&context, request, &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job;
  }
  v1::TrainJob GetJob(const std::string& id) {
    v1::GetTrainJobRequest request;
    request.set_name("trainJobs/" + id);
    grpc::ClientContext context;
    v1::TrainJob job;
    const grpc::Status status = server_.training->GetTrainJob(&context, request, &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job;
  }
  std::unique_ptr<grpc::ClientReader<v1::TrainUpdate>> Watch(grpc::ClientContext* context,
                                                             const std::string& id,
                                                             int64_t after = 0) {
    v1::WatchTrainJobRequest request;
    request.set_name("trainJobs/" + id);
    request.set_after_sequence(after);
    return server_.training->WatchTrainJob(context, request);
  }
  Seen Follow(const std::string& id, int64_t after, Updates* updates) {
    grpc::ClientContext context;
    const auto reader = Watch(&context, id, after);
    v1::TrainUpdate update;
    while (reader->Read(&update)) updates->push_back(update);
    return SeenBy(reader->Finish());
  }

  TestServer server_;
};

TEST_F(Watching, AWatchShowsAllAndEndsWithTheJob) {
  const v1::TrainJob job = StartJob(JobRequest("one", kEpochs));
  EXPECT_EQ(job.name(), "trainJobs/one");
  EXPECT_EQ(job.config().batch_size(), 256) << "settings are told with their defaults";
  Updates updates;
  EXPECT_EQ(Follow("one", 0, &updates).code, StatusCode::OK);
  ASSERT_FALSE(updates.empty());
  int64_t epochs = 0;
  for (size_t i = 0; i < updates.size(); ++i) {
    EXPECT_EQ(updates[i].sequence(), static_cast<int64_t>(i) + 1);
    epochs = std::max(epochs, updates[i].epoch());
  }
  EXPECT_EQ(epochs, kEpochs);
  EXPECT_EQ(updates.back().state(), v1::JOB_STATE_SUCCEEDED);

  const v1::TrainJob ended = GetJob("one");
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.version(), "models/wow/versions/1");
  EXPECT_EQ(ended.last_sequence(), updates.back().sequence());
  EXPECT_EQ(ended.last_update().sequence(), updates.back().sequence());
  EXPECT_EQ(ended.last_epoch().epoch(), kEpochs);
  EXPECT_TRUE(ended.last_epoch().has_best_loss());
  EXPECT_GT(ended.snapshot_epochs_size(), 0);

  v1::GetVersionRequest get;
  get.set_name("models/wow/versions/latest");
  grpc::ClientContext context;
  v1::Version version;
  ASSERT_TRUE(server_.models->GetVersion(&context, get, &version).ok());
  EXPECT_EQ(version.number(), 1);
  EXPECT_EQ(version.train_job(), "trainJobs/one");
  EXPECT_EQ(version.source(), "datasets/roll");
  EXPECT_EQ(version.dataset_hash().size(), 64u);
  EXPECT_EQ(version.scale_size(), 3);
  EXPECT_GT(version.metrics_size(), 0);
}

TEST_F(Watching, AWatchThatComesBackSeesTheRest) {
  StartJob(JobRequest("one", kEpochs));
  Updates all, rest, none;
  Follow("one", 0, &all);
  for (const size_t after : {size_t{1}, all.size() / 2, all.size() - 1}) {
    rest.clear();
    EXPECT_EQ(Follow("one", static_cast<int64_t>(after), &rest).code, StatusCode::OK);
    ASSERT_EQ(rest.size(), all.size() - after);
    EXPECT_EQ(rest.front().sequence(), all[after].sequence());
    EXPECT_EQ(rest.back().SerializeAsString(), all.back().SerializeAsString());
  }
  EXPECT_EQ(Follow("one", static_cast<int64_t>(all.size()), &none).code, StatusCode::OK);
  EXPECT_EQ(Follow("one", INT64_MAX, &none).code, StatusCode::OK);
  EXPECT_TRUE(none.empty());
}

TEST_F(Watching, OneThatLeavesStopsNothing) {
  StartJob(JobRequest("one", 200));
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    const auto reader = Watch(&context, "one");
    v1::TrainUpdate update;
    for (int read = 0; read < i % 4; ++read) reader->Read(&update);
    context.TryCancel();
    reader->Finish();
  }
  Updates updates;
  EXPECT_EQ(Follow("one", 0, &updates).code, StatusCode::OK);
  EXPECT_EQ(updates.back().state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(Watching, OneThatDoesNotReadStillGetsTheLastUpdate) {
  StartJob(JobRequest("one", 300));
  grpc::ClientContext context;
  const auto stalled = Watch(&context, "one");
  Updates updates;
  EXPECT_EQ(Follow("one", 0, &updates).code, StatusCode::OK);
  v1::TrainUpdate update;
  int64_t last = 0;
  while (stalled->Read(&update)) {
    EXPECT_GT(update.sequence(), last);
    last = update.sequence();
  }
  EXPECT_TRUE(stalled->Finish().ok());
  EXPECT_EQ(last, updates.back().sequence());
}

TEST_F(Watching, WhatCannotBeWatched) {
  Updates none;
  EXPECT_EQ(Follow("no", 0, &none).resource, "trainJobs/no");
  EXPECT_EQ(Follow("no", -1, &none).field, "after_sequence");
  EXPECT_EQ(Follow("N O", 0, &none).field, "name");
}

TEST_F(Watching, ACancelledJobEndsItsWatches) {
  StartJob(JobRequest("one", 10'000'000));
  grpc::ClientContext context;
  const auto reader = Watch(&context, "one");
  v1::TrainUpdate update;
  while (reader->Read(&update) && update.epoch() == 0) {
  }
  v1::CancelTrainJobRequest cancel;
  cancel.set_name("trainJobs/one");
  grpc::ClientContext cancel_context;
  v1::TrainJob job;
  EXPECT_TRUE(server_.training->CancelTrainJob(&cancel_context, cancel, &job).ok());
  while (reader->Read(&update)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(update.state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(Watching, AStoppingServerEndsWatchesAsUnavailable) {
  StartJob(JobRequest("one", 10'000'000));
  grpc::ClientContext context;
  const auto reader = Watch(&context, "one");
  v1::TrainUpdate update;
  ASSERT_TRUE(reader->Read(&update));
  std::thread drain([this] { server_.server().Drain(); });
  while (reader->Read(&update)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), StatusCode::UNAVAILABLE);
  drain.join();
}

TEST_F(Watching, ARetriedCreationFindsTheJobItMade) {
  v1::CreateTrainJobRequest request = JobRequest("", kEpochs);
  request.set_request_id("again");
  const v1::TrainJob first = StartJob(request);
  EXPECT_EQ(StartJob(request).name(), first.name());
}

TEST_F(Watching, AJobContinuesAnEarlierOne) {
  StartJob(JobRequest("one", kEpochs));
  Updates updates;
  Follow("one", 0, &updates);
  v1::CreateTrainJobRequest request = JobRequest("two", kEpochs);
  request.mutable_train_job()->mutable_config()->set_continue_from("trainJobs/one");
  EXPECT_EQ(StartJob(request).config().continue_from(), "trainJobs/one");
  updates.clear();
  Follow("two", 0, &updates);
  EXPECT_EQ(updates.back().state(), v1::JOB_STATE_SUCCEEDED) << updates.back().message();
  EXPECT_EQ(GetJob("two").version(), "models/wow/versions/2");

  MakeModel(server_, "other", 3);
  request = JobRequest("three", kEpochs);
  request.mutable_train_job()->set_model("models/other");
  request.mutable_train_job()->mutable_config()->set_continue_from("trainJobs/one");
  grpc::ClientContext context;
  v1::TrainJob job;
  EXPECT_EQ(SeenBy(server_.training->CreateTrainJob(&context, request, &job)).field,
            "train_job.config.continue_from");
}

TEST_F(Watching, AJobThatFailsSaysWhy) {
  v1::UploadDatasetRequest header, chunk;
  header.mutable_header()->set_dataset_id("constant");
  header.mutable_header()->set_format(v1::FILE_FORMAT_CSV);
  for (int i = 0; i < 100; ++i) chunk.mutable_chunk()->append(std::to_string(i) + ",1,2\n");
  grpc::ClientContext context;
  v1::Dataset dataset;
  const auto writer = server_.datasets->UploadDataset(&context, &dataset);
  writer->Write(header);
  writer->Write(chunk);
  writer->WritesDone();
  ASSERT_TRUE(writer->Finish().ok());
  v1::CreateTrainJobRequest request = JobRequest("one", kEpochs);
  request.mutable_train_job()->set_dataset("datasets/constant");
  StartJob(request);
  Updates updates;
  EXPECT_EQ(Follow("one", 0, &updates).code, StatusCode::OK);
  EXPECT_EQ(updates.back().state(), v1::JOB_STATE_FAILED);
  EXPECT_FALSE(updates.back().message().empty());
  EXPECT_EQ(GetJob("one").error(), updates.back().message());
}

TEST_F(Watching, AJobOnATargetReportsItsKl) {
  MakeModel(server_, "moons", 2);
  v1::CreateTrainJobRequest request;
  request.set_train_job_id("one");
  request.mutable_train_job()->set_model("models/moons");
  request.mutable_train_job()->set_target("targets/seed-moons");
  request.mutable_train_job()->mutable_config()->set_epochs(3);
  StartJob(request);
  Updates updates;
  EXPECT_EQ(Follow("one", 0, &updates).code, StatusCode::OK);
  EXPECT_EQ(updates.back().state(), v1::JOB_STATE_SUCCEEDED) << updates.back().message();
  EXPECT_TRUE(updates.back().target().has_kl());
}

}  // namespace
}  // namespace sluiced::testing
