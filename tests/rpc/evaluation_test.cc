// Evaluations as a client sees them: what they find, what they say of the rows, and how
// they refuse.
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/v1/evaluation.grpc.pb.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using ::testing::Contains;
using ::testing::HasSubstr;

// A model `roll` of three columns, a dataset `roll` of 1,000 rows, a model `flat` of two.
class Evaluations : public ::testing::Test {
 protected:
  Evaluations() {
    MakeModel(server_, "roll", 3);
    MakeModel(server_, "flat", 2);
    MakeDataset(server_, "roll", 1000);
  }

  void Train(const std::string& job, const std::function<void(v1::TrainConfig*)>& change,
             const std::string& model = "roll") {
    v1::CreateTrainJobRequest request;
    request.set_train_job_id(job);
    request.mutable_train_job()->set_model("models/" + model);
    request.mutable_train_job()->set_dataset("datasets/roll");
    request.mutable_train_job()->mutable_config()->set_epochs(1);
    change(request.mutable_train_job()->mutable_config());
    grpc::ClientContext context, watching;
    v1::TrainJob created;
    ASSERT_TRUE(server_.training->CreateTrainJob(&context, request, &created).ok());
    v1::WatchTrainJobRequest watch;
    watch.set_name(created.name());
    const auto updates = server_.training->WatchTrainJob(&watching, watch);
    v1::TrainUpdate update;
    while (updates->Read(&update)) {
    }
    ASSERT_TRUE(updates->Finish().ok());
    ASSERT_EQ(update.state(), v1::JOB_STATE_SUCCEEDED) << update.message();
  }

  template <typename Request, typename Reply>
  Seen Ask(grpc::Status (v1::EvaluationService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                               Reply*),
           const Request& request, Reply* reply,
           std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    return SeenBy((stub_.get()->*method)(&context, request, reply));
  }
  Seen Evaluate(const v1::EvaluateRequest& request, v1::EvaluateResponse* reply,
                std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
    return Ask(&v1::EvaluationService::Stub::Evaluate, request, reply, timeout);
  }
  Seen EvaluateRoll(bool held_out, v1::EvaluateResponse* reply,
                    const std::string& model = "models/roll") {
    v1::EvaluateRequest request;
    request.set_model(model);
    request.set_dataset("datasets/roll");
    request.set_held_out(held_out);
    reply->Clear();
    return Evaluate(request, reply);
  }
  static v1::EvaluateRequest OnGaussian() {
    v1::EvaluateRequest request;
    request.set_model("models/flat");
    request.set_target("targets/gaussian");
    return request;
  }
  static v1::SampleCorrectedRequest SampleOfGaussian(v1::Correction correction, int64_t rows) {
    v1::SampleCorrectedRequest request;
    request.set_model("models/flat");
    request.set_target("targets/gaussian");
    request.set_rows(rows);
    request.set_correction(correction);
    request.set_seed(5);
    return request;
  }
  Seen Sample(const v1::SampleCorrectedRequest& request, v1::SampleCorrectedResponse* reply) {
    return Ask(&v1::EvaluationService::Stub::SampleCorrected, request, reply);
  }

  TestServer server_;
  const std::unique_ptr<v1::EvaluationService::Stub> stub_ =
      v1::EvaluationService::NewStub(server_.Connect());
};

TEST_F(Evaluations, RowsThatWereNotTrainedOn) {
  v1::EvaluateResponse reply;
  const Seen seen = EvaluateRoll(false, &reply);
  ASSERT_EQ(seen.code, StatusCode::OK) << seen;
  const v1::DatasetFit& fit = reply.dataset();
  EXPECT_EQ(fit.origin(), v1::ROWS_ORIGIN_OTHER_DATASET);
  EXPECT_EQ(fit.rows(), 1000);
  EXPECT_EQ(fit.draws(), 10'000);
  EXPECT_GT(fit.two_sample().accuracy().mean(), 0.8);  // A roll is no cloud.
  EXPECT_EQ(fit.columns_size(), 3);
  EXPECT_EQ(fit.columns(2).column(), 2);
  EXPECT_EQ(fit.coverage_size(), 4);
  EXPECT_EQ(fit.calibration_size(), 0);
  EXPECT_EQ(reply.version(), "models/roll/versions/0");
  v1::EvaluateResponse held_out;
  ASSERT_EQ(EvaluateRoll(true, &held_out).code, StatusCode::OK);
  EXPECT_EQ(held_out.dataset().rows(), 1000);
}

TEST_F(Evaluations, RowsThatTheTrainingHeldOut) {
  Train("first", [](auto* config) { config->set_seed(3); });
  v1::EvaluateResponse reply;
  ASSERT_EQ(EvaluateRoll(false, &reply).code, StatusCode::OK);
  EXPECT_EQ(reply.dataset().origin(), v1::ROWS_ORIGIN_TRAINED_ON);
  EXPECT_THAT(reply.notes(), Contains(HasSubstr("held_out")));
  ASSERT_EQ(EvaluateRoll(true, &reply).code, StatusCode::OK);
  EXPECT_EQ(reply.dataset().origin(), v1::ROWS_ORIGIN_HELD_OUT);
  EXPECT_EQ(reply.dataset().rows(), 100);
  EXPECT_THAT(reply.notes(), Contains(HasSubstr("chose the epoch")));
  // The loss that the job found on the same rows.
  grpc::ClientContext context;
  v1::GetVersionRequest request;
  request.set_name("models/roll/versions/1");
  v1::Version version;
  ASSERT_TRUE(server_.models->GetVersion(&context, request, &version).ok());
  EXPECT_NEAR(reply.dataset().log_likelihood().mean(), -version.metrics().at("validation_loss"),
              1e-4);
}

TEST_F(Evaluations, WhatAnEarlierTrainingSawIsNotHeldOut) {
  Train("first", [](auto* config) { config->set_seed(3); });
  Train("second", [](auto* config) { config->set_seed(4); });
  v1::EvaluateResponse reply;
  ASSERT_EQ(EvaluateRoll(true, &reply).code, StatusCode::OK);
  EXPECT_LT(reply.dataset().rows(), 40);  // Of 100 each, those of both.
  EXPECT_GT(reply.dataset().rows(), 0);
  ASSERT_EQ(EvaluateRoll(true, &reply, "models/roll/versions/1").code, StatusCode::OK);
  EXPECT_EQ(reply.dataset().rows(), 100);
}

TEST_F(Evaluations, WhereItCannotBeToldWhichRowsWereHeldOut) {
  Train("first", [](auto* config) { config->set_validation_fraction(0); });
  v1::EvaluateResponse reply;
  const Seen none = EvaluateRoll(true, &reply);
  EXPECT_EQ(none.code, StatusCode::FAILED_PRECONDITION) << none;
  EXPECT_THAT(none.message, HasSubstr("held no rows out"));
  grpc::ClientContext context;
  v1::DeleteTrainJobRequest request;
  request.set_name("trainJobs/first");
  google::protobuf::Empty empty;
  ASSERT_TRUE(server_.training->DeleteTrainJob(&context, request, &empty).ok());
  EXPECT_THAT(EvaluateRoll(true, &reply).message, HasSubstr("trainJobs/first"));
  ASSERT_EQ(EvaluateRoll(false, &reply).code, StatusCode::OK);
  EXPECT_EQ(reply.dataset().origin(), v1::ROWS_ORIGIN_TRAINED_ON);
}

TEST_F(Evaluations, WhatADeletedVersionSawIsNotKnown) {
  Train("first", [](auto*) {});
  Train("second", [](auto*) {});
  grpc::ClientContext context;
  v1::DeleteVersionRequest request;
  request.set_name("models/roll/versions/1");
  google::protobuf::Empty empty;
  ASSERT_TRUE(server_.models->DeleteVersion(&context, request, &empty).ok());
  v1::EvaluateResponse reply;
  ASSERT_EQ(EvaluateRoll(false, &reply).code, StatusCode::OK);
  EXPECT_EQ(reply.dataset().origin(), v1::ROWS_ORIGIN_UNKNOWN);
  EXPECT_EQ(EvaluateRoll(true, &reply).code, StatusCode::FAILED_PRECONDITION);
}

TEST_F(Evaluations, WhatAnotherModelSawIsNotKnown) {
  Train("first", [](auto*) {});
  MakeModel(server_, "heir", 3);
  Train(
      "second", [](auto* config) { config->set_start_from("models/roll/versions/1"); }, "heir");
  v1::EvaluateResponse reply;
  const Seen seen = EvaluateRoll(true, &reply, "models/heir");
  EXPECT_EQ(seen.code, StatusCode::FAILED_PRECONDITION) << seen;
  EXPECT_THAT(seen.message, HasSubstr("began from models/roll/versions/1"));
}

TEST_F(Evaluations, OfASnapshotTheRowsMayBeTrainedOn) {
  Train("first", [](auto* config) { config->set_snapshots(1); });
  v1::EvaluateResponse reply;
  const Seen seen = EvaluateRoll(false, &reply, "trainJobs/first/snapshots/1");
  ASSERT_EQ(seen.code, StatusCode::OK) << seen;
  EXPECT_EQ(reply.dataset().origin(), v1::ROWS_ORIGIN_UNKNOWN);
  EXPECT_THAT(reply.notes(), Contains(HasSubstr("may be rows")));
}

TEST_F(Evaluations, ATargetIsMeasuredAndLabelled) {
  v1::EvaluateResponse reply, again;
  const Seen seen = Evaluate(OnGaussian(), &reply);
  ASSERT_EQ(seen.code, StatusCode::OK) << seen;
  const v1::TargetFit& fit = reply.target();
  EXPECT_GT(fit.kl().mean(), 0.1);
  EXPECT_EQ(fit.log_z_known(), 0);
  EXPECT_EQ(fit.weights().draws(), 10'000);
  EXPECT_GT(fit.weights().ess(), 1);
  EXPECT_TRUE(fit.weights().has_pareto_k());
  EXPECT_GT(fit.weights().tail_size(), 300);
  EXPECT_THAT(reply.notes(), Contains(HasSubstr("draws of the model itself")));
  ASSERT_EQ(Evaluate(OnGaussian(), &again).code, StatusCode::OK);
  EXPECT_EQ(reply.SerializeAsString(), again.SerializeAsString());
}

TEST_F(Evaluations, AStoredModelKeepsTheLaws) {
  v1::SelfTestRequest request;
  v1::SelfTestResponse reply;
  for (const char* model : {"models/roll", "models/flat"}) {
    request.set_model(model);
    const Seen seen = Ask(&v1::EvaluationService::Stub::SelfTest, request, &reply);
    ASSERT_EQ(seen.code, StatusCode::OK) << seen;
    EXPECT_TRUE(reply.passed()) << reply.ShortDebugString();
    EXPECT_EQ(reply.laws_size(), 8);
  }
  EXPECT_EQ(reply.version(), "models/flat/versions/0");
}

TEST_F(Evaluations, SamplesOfEachCorrection) {
  v1::SampleCorrectedResponse reply;
  ASSERT_EQ(Sample(SampleOfGaussian(v1::CORRECTION_IMPORTANCE, 50), &reply).code, StatusCode::OK);
  EXPECT_EQ(reply.x().shape(0), 50);
  EXPECT_EQ(reply.log_weight().shape(0), 50);
  ASSERT_EQ(Sample(SampleOfGaussian(v1::CORRECTION_RESAMPLE, 50), &reply).code, StatusCode::OK);
  EXPECT_FALSE(reply.has_log_weight());
  EXPECT_EQ(reply.weights().draws(), 10'000);
  ASSERT_EQ(Sample(SampleOfGaussian(v1::CORRECTION_MCMC, 50), &reply).code, StatusCode::OK);
  EXPECT_EQ(reply.chains(), 50);
  EXPECT_EQ(reply.weights().draws(), 50 * 201);
  EXPECT_GT(reply.acceptance_rate(), 0);
  EXPECT_EQ(reply.seed(), 5U);
  v1::SampleCorrectedRequest any = SampleOfGaussian(v1::CORRECTION_MCMC, 5);
  any.clear_seed();
  v1::SampleCorrectedResponse other;
  ASSERT_EQ(Sample(any, &reply).code, StatusCode::OK);
  ASSERT_EQ(Sample(any, &other).code, StatusCode::OK);
  EXPECT_NE(reply.seed(), other.seed());
}

TEST_F(Evaluations, BadRequestsNameTheirField) {
  const std::pair<const char*, std::function<void(v1::EvaluateRequest*)>> evaluate[] = {
      {"dataset", [](auto* in) { in->clear_against(); }},
      {"dataset", [](auto* in) { in->set_dataset("roll"); }},
      {"dataset", [](auto* in) { in->set_dataset("datasets/roll"); }},  // Three columns.
      {"target", [](auto* in) { in->set_target("datasets/ring"); }},
      {"target", [](auto* in) { in->set_model("models/roll"); }},
      {"rows", [](auto* in) { in->set_rows(-1); }},
      {"rows", [](auto* in) { in->set_rows(5); }},
      {"draws", [](auto* in) { in->set_draws(-1); }},
      {"held_out", [](auto* in) { in->set_held_out(true); }},
      {"weight_column", [](auto* in) { in->set_weight_column("0"); }},
      {"dequantize", [](auto* in) { in->set_dequantize(true); }},
      {"model", [](auto* in) { in->set_model("flat"); }}};
  for (const auto& [field, change] : evaluate) {
    v1::EvaluateRequest request = OnGaussian();
    change(&request);
    v1::EvaluateResponse reply;
    const Seen seen = Evaluate(request, &reply);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << field << ": " << seen;
    EXPECT_EQ(seen.field, field) << seen;
  }
}

TEST_F(Evaluations, BadSamplesNameTheirField) {
  const std::pair<const char*, std::function<void(v1::SampleCorrectedRequest*)>> table[] = {
      {"rows", [](auto* in) { in->set_rows(0); }},
      {"correction", [](auto* in) { in->clear_correction(); }},
      {"correction", [](auto* in) { in->set_correction(static_cast<v1::Correction>(9)); }},
      {"draws", [](auto* in) { in->set_draws(10); }},
      {"burn_in", [](auto* in) { in->set_burn_in(-1); }},
      {"chains", [](auto* in) { in->set_chains(51); }},
      {"chains", [](auto* in) { in->set_chains(-1); }},
      {"target", [](auto* in) { in->clear_target(); }}};
  for (const auto& [field, change] : table) {
    v1::SampleCorrectedRequest request = SampleOfGaussian(v1::CORRECTION_MCMC, 50);
    change(&request);
    v1::SampleCorrectedResponse reply;
    const Seen seen = Sample(request, &reply);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << field << ": " << seen;
    EXPECT_EQ(seen.field, field) << seen;
  }
  v1::SelfTestRequest test;
  test.set_model("models/flat");
  test.set_draws(99);
  v1::SelfTestResponse reply;
  EXPECT_EQ(Ask(&v1::EvaluationService::Stub::SelfTest, test, &reply).field, "draws");
}

TEST_F(Evaluations, MoreThanOneCallMayAskFor) {
  v1::EvaluateResponse reply;
  v1::EvaluateRequest request = OnGaussian();
  request.set_draws(1'000'001);
  EXPECT_EQ(Evaluate(request, &reply).code, StatusCode::RESOURCE_EXHAUSTED);
  v1::SampleCorrectedResponse sample;
  v1::SampleCorrectedRequest chains = SampleOfGaussian(v1::CORRECTION_MCMC, 1000);
  chains.set_burn_in(INT64_MAX);
  EXPECT_EQ(Sample(chains, &sample).code, StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(Evaluations, WhatIsNotThereIsNamed) {
  v1::EvaluateResponse reply;
  v1::EvaluateRequest request = OnGaussian();
  request.set_model("models/none");
  EXPECT_EQ(Evaluate(request, &reply).resource, "models/none");
  request = OnGaussian();
  request.set_target("targets/none");
  EXPECT_EQ(Evaluate(request, &reply).code, StatusCode::NOT_FOUND);
  request.set_dataset("datasets/none");
  EXPECT_EQ(Evaluate(request, &reply).resource, "datasets/none");
}

TEST_F(Evaluations, ADeadlineEndsTheWork) {
  v1::EvaluateResponse reply;
  v1::EvaluateRequest request = OnGaussian();
  request.set_draws(1'000'000);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Evaluate(request, &reply, std::chrono::milliseconds(20)).code,
            StatusCode::DEADLINE_EXCEEDED);
  // Whoever comes next does not wait for what nobody wants.
  request.set_draws(10);
  EXPECT_EQ(Evaluate(request, &reply).code, StatusCode::OK);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace sluiced::testing
