// Every kind of error the server has, as a client sees it, details and all.
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

class ErrorTable : public ::testing::Test {
 protected:
  ErrorTable() {
    MakeModel(server_, "wow", 3);
    MakeDataset(server_, "roll", 1000);
  }

  v1::CreateTrainJobRequest JobRequest(const std::string& id) {
    v1::CreateTrainJobRequest request;
    request.set_train_job_id(id);
    request.mutable_train_job()->set_model("models/wow");
    request.mutable_train_job()->set_dataset("datasets/roll");
    request.mutable_train_job()->mutable_config()->set_epochs(10'000'000);
    return request;
  }
  Seen CreateJob(const v1::CreateTrainJobRequest& request) {
    grpc::ClientContext context;
    v1::TrainJob job;
    return SeenBy(server_.training->CreateTrainJob(&context, request, &job));
  }
  // A call whose request has one field, `name`.
  template <typename Stub, typename Request, typename Reply>
  Seen Named(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
             const std::string& name) {
    grpc::ClientContext context;
    Request request;
    request.set_name(name);
    Reply reply;
    return SeenBy((stub.*method)(&context, request, &reply));
  }
  Seen DrawTarget(const std::function<void(v1::GenerateDatasetRequest*)>& change) {
    v1::GenerateDatasetRequest request;
    request.set_dataset_id("drawn");
    request.set_target("targets/ring");
    request.set_rows(100);
    change(&request);
    grpc::ClientContext context;
    v1::Dataset dataset;
    return SeenBy(server_.datasets->GenerateDataset(&context, request, &dataset));
  }
  Seen CreateModel(const std::function<void(v1::CreateModelRequest*)>& change) {
    v1::CreateModelRequest request;
    request.set_model_id("new");
    request.mutable_spec()->set_dim(2);
    change(&request);
    grpc::ClientContext context;
    v1::Model model;
    return SeenBy(server_.models->CreateModel(&context, request, &model));
  }

  static Config OneQueuedJob() {
    Config config;
    config.max_queued_jobs = 1;
    return config;
  }

  TestServer server_{OneQueuedJob()};
};

using Models = v1::ModelService::Stub;
using Datasets = v1::DatasetService::Stub;
using Training = v1::TrainingService::Stub;

TEST_F(ErrorTable, BadSpecsAndIdsNameTheirField) {
  const std::pair<const char*, std::function<void(v1::CreateModelRequest*)>> table[] = {
      {"model_id", [](auto* in) { in->set_model_id("../etc"); }},
      {"model_id", [](auto* in) { in->set_model_id(""); }},
      {"spec.dim", [](auto* in) { in->mutable_spec()->set_dim(0); }},
      {"spec.dim", [](auto* in) { in->mutable_spec()->set_dim(INT64_MAX); }},
      {"spec.layers", [](auto* in) { in->mutable_spec()->set_layers(-1); }},
      {"spec.hidden", [](auto* in) { in->mutable_spec()->set_hidden(INT64_MAX); }},
      {"spec.depth", [](auto* in) { in->mutable_spec()->set_depth(-5); }},
      {"spec.scale_bound", [](auto* in) { in->mutable_spec()->set_scale_bound(-1); }},
      {"spec.architecture", [](auto* in) { in->mutable_spec()->set_architecture("gpt"); }},
      {"spec.dtype", [](auto* in) { in->mutable_spec()->set_dtype(static_cast<v1::DType>(9)); }},
      {"spec.initialization",
       [](auto* in) {
         in->mutable_spec()->set_initialization(static_cast<v1::Initialization>(9));
       }},
      {"spec.executor",
       [](auto* in) { in->mutable_spec()->set_executor(static_cast<v1::Executor>(9)); }},
      {"labels", [](auto* in) { (*in->mutable_labels())[""] = "x"; }}};
  for (const auto& [field, change] : table) {
    const Seen seen = CreateModel(change);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << field << ": " << seen;
    EXPECT_EQ(seen.field, field) << seen;
  }
}

TEST_F(ErrorTable, BadTrainingSettingsNameTheirField) {
  const std::pair<const char*, std::function<void(v1::TrainConfig*)>> table[] = {
      {"epochs", [](auto* in) { in->set_epochs(-1); }},
      {"batch_size", [](auto* in) { in->set_batch_size(-1); }},
      {"learning_rate", [](auto* in) { in->set_learning_rate(-1); }},
      {"beta2", [](auto* in) { in->set_beta2(1); }},
      {"optimizer", [](auto* in) { in->set_optimizer(static_cast<v1::Optimizer>(9)); }},
      {"schedule", [](auto* in) { in->set_schedule(static_cast<v1::Schedule>(9)); }},
      {"stages[0].epochs", [](auto* in) { in->add_stages()->set_learning_rate(1e-3); }},
      {"step_epochs", [](auto* in) { in->set_schedule(v1::SCHEDULE_STEPS); }},
      {"validation_fraction", [](auto* in) { in->set_validation_fraction(1.5); }},
      {"continue_from", [](auto* in) { in->set_continue_from("jobs/x"); }}};
  for (const auto& [field, change] : table) {
    v1::CreateTrainJobRequest request = JobRequest("");
    change(request.mutable_train_job()->mutable_config());
    const Seen seen = CreateJob(request);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << field << ": " << seen;
    EXPECT_EQ(seen.field, std::string("train_job.config.") + field) << seen;
  }
}

TEST_F(ErrorTable, AJobWhoseSourceDoesNotFitNamesIt) {
  MakeModel(server_, "flat", 2);
  v1::CreateTrainJobRequest request = JobRequest("");
  request.mutable_train_job()->set_model("models/flat");
  EXPECT_EQ(CreateJob(request).field, "train_job.dataset");
  request.mutable_train_job()->set_model("models/wow");
  request.mutable_train_job()->set_target("targets/seed-moons");
  EXPECT_EQ(CreateJob(request).field, "train_job.target");
  request.mutable_train_job()->clear_source();
  EXPECT_EQ(CreateJob(request).field, "train_job.dataset");
}

TEST_F(ErrorTable, UnknownResourcesAreNamed) {
  const std::pair<Seen, const char*> table[] = {
      {Named(*server_.models, &Models::GetModel, "models/no"), "models/no"},
      {Named(*server_.models, &Models::DeleteModel, "models/no"), "models/no"},
      {Named(*server_.models, &Models::GetVersion, "models/wow/versions/7"),
       "models/wow/versions/7"},
      {Named(*server_.models, &Models::GetVersion, "models/wow/versions/best"),
       "models/wow/versions/best"},
      {Named(*server_.datasets, &Datasets::GetDataset, "datasets/no"), "datasets/no"},
      {Named(*server_.datasets, &Datasets::DeleteDataset, "datasets/no"), "datasets/no"},
      {Named(*server_.training, &Training::GetTrainJob, "trainJobs/no"), "trainJobs/no"},
      {Named(*server_.training, &Training::CancelTrainJob, "trainJobs/no"), "trainJobs/no"},
      {Named(*server_.training, &Training::DeleteTrainJob, "trainJobs/no"), "trainJobs/no"}};
  for (const auto& [seen, name] : table) {
    EXPECT_EQ(seen.code, StatusCode::NOT_FOUND) << name << ": " << seen;
    EXPECT_EQ(seen.resource, name) << seen;
  }
}

TEST_F(ErrorTable, AJobOfUnknownThingsIsNotFound) {
  v1::CreateTrainJobRequest request = JobRequest("");
  request.mutable_train_job()->set_model("models/no");
  EXPECT_EQ(CreateJob(request).resource, "models/no");
  request = JobRequest("");
  request.mutable_train_job()->set_dataset("datasets/no");
  EXPECT_EQ(CreateJob(request).resource, "datasets/no");
  request = JobRequest("");
  request.mutable_train_job()->mutable_config()->set_continue_from("trainJobs/no");
  EXPECT_EQ(CreateJob(request).resource, "trainJobs/no");
  request.mutable_train_job()->set_target("targets/no");
  EXPECT_EQ(CreateJob(request).code, StatusCode::NOT_FOUND);
}

TEST_F(ErrorTable, TakenNamesExistAlready) {
  const Seen model = CreateModel([](auto* in) { in->set_model_id("wow"); });
  EXPECT_EQ(model.code, StatusCode::ALREADY_EXISTS) << model;
  EXPECT_EQ(model.resource, "models/wow");
  grpc::ClientContext context;
  v1::GenerateDatasetRequest generate;
  generate.set_dataset_id("roll");
  generate.set_toy("swiss-roll");
  generate.set_rows(10);
  v1::Dataset dataset;
  const Seen taken = SeenBy(server_.datasets->GenerateDataset(&context, generate, &dataset));
  EXPECT_EQ(taken.code, StatusCode::ALREADY_EXISTS) << taken;
}

TEST_F(ErrorTable, DrawsOfTargetsNameWhatIsWrong) {
  using Request = v1::GenerateDatasetRequest;
  EXPECT_EQ(DrawTarget([](Request*) {}).code, StatusCode::OK);
  EXPECT_EQ(DrawTarget([](Request*) {}).code, StatusCode::ALREADY_EXISTS);
  const auto field_of = [&](const std::function<void(Request*)>& change) {
    const Seen seen = DrawTarget(change);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << seen;
    return seen.field;
  };
  EXPECT_EQ(field_of([](Request* in) { in->set_toy("moons"); }), "target");
  EXPECT_EQ(field_of([](Request* in) { in->set_target("ring"); }), "target");
  EXPECT_EQ(field_of([](Request* in) { in->set_noise(0.1); }), "noise");
  EXPECT_EQ(field_of([](Request* in) { in->set_rows(0); }), "rows");
  EXPECT_EQ(field_of([](Request* in) { in->set_rows(1'000'001); }), "rows");
  const Seen unknown = DrawTarget([](Request* in) { in->set_target("targets/no"); });
  EXPECT_EQ(unknown.code, StatusCode::NOT_FOUND) << unknown;
}

TEST_F(ErrorTable, WrongStatesAreFailedPreconditions) {
  ASSERT_EQ(CreateJob(JobRequest("long")).code, StatusCode::OK);
  for (const Seen& seen :
       {Named(*server_.models, &Models::DeleteModel, "models/wow"),
        Named(*server_.datasets, &Datasets::DeleteDataset, "datasets/roll"),
        Named(*server_.training, &Training::DeleteTrainJob, "trainJobs/long"),
        Named(*server_.training, &Training::ResumeTrainJob, "trainJobs/long"),
        Named(*server_.models, &Models::DeleteVersion, "models/wow/versions/0")}) {
    EXPECT_EQ(seen.code, StatusCode::FAILED_PRECONDITION) << seen;
  }
  v1::CreateTrainJobRequest next = JobRequest("next");
  next.mutable_train_job()->mutable_config()->set_continue_from("trainJobs/long");
  EXPECT_EQ(CreateJob(next).code, StatusCode::FAILED_PRECONDITION);
}

TEST_F(ErrorTable, AFullQueueOfJobsSaysWhenToComeBack) {
  // One runs, or is about to; one may wait.
  Seen seen{};
  for (int i = 0; i < 3 && seen.code == StatusCode::OK; ++i) {
    seen = CreateJob(JobRequest("job-" + std::to_string(i)));
  }
  EXPECT_EQ(seen.code, StatusCode::RESOURCE_EXHAUSTED) << seen;
  EXPECT_GT(seen.retry_seconds.value_or(0), 0);
}

TEST(JobMemory, AJobThatNeedsMoreThanAllMayHoldIsRefused) {
  Config config;
  config.job_bytes = 1 << 20;
  TestServer server(config);
  MakeModel(server, "small", 3);
  MakeDataset(server, "rows", 100'000);
  v1::CreateTrainJobRequest request;
  request.mutable_train_job()->set_model("models/small");
  request.mutable_train_job()->set_dataset("datasets/rows");
  grpc::ClientContext context;
  v1::TrainJob job;
  const Seen seen = SeenBy(server.training->CreateTrainJob(&context, request, &job));
  EXPECT_EQ(seen.code, StatusCode::RESOURCE_EXHAUSTED) << seen;
  EXPECT_EQ(seen.reason, "JOB_MEMORY");
  EXPECT_FALSE(seen.retry_seconds.has_value());
  EXPECT_THAT(seen.message, HasSubstr("--job-memory"));
}

TEST_F(ErrorTable, TooMuchAtOnceIsResourceExhausted) {
  grpc::ClientContext sample_context;
  v1::SampleRequest sample;
  sample.set_model("models/wow");
  sample.set_rows(1'000'001);
  v1::SampleResponse samples;
  Seen seen = SeenBy(server_.inference->Sample(&sample_context, sample, &samples));
  EXPECT_EQ(seen.code, StatusCode::RESOURCE_EXHAUSTED) << seen;
  EXPECT_TRUE(seen.retry_seconds.has_value());
  EXPECT_THAT(seen.message, HasSubstr("StreamSample"));

  grpc::ClientContext generate_context;
  v1::GenerateDatasetRequest generate;
  generate.set_dataset_id("huge");
  generate.set_toy("swiss-roll");
  generate.set_rows(INT64_MAX);
  v1::Dataset dataset;
  seen = SeenBy(server_.datasets->GenerateDataset(&generate_context, generate, &dataset));
  EXPECT_EQ(seen.code, StatusCode::RESOURCE_EXHAUSTED) << seen;

  seen = CreateModel([](auto* in) { in->set_description(std::string(1 << 20, 'x')); });
  EXPECT_EQ(seen.code, StatusCode::RESOURCE_EXHAUSTED) << seen;

  grpc::ClientContext score_context;
  v1::LogProbRequest score;
  score.set_model("models/wow");
  score.mutable_x()->set_data(std::string(65 << 20, 'x'));
  v1::LogProbResponse scores;
  seen = SeenBy(server_.inference->LogProb(&score_context, score, &scores));
  EXPECT_EQ(seen.code, StatusCode::RESOURCE_EXHAUSTED) << seen;
}

}  // namespace
}  // namespace sluiced::testing
