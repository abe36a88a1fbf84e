#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sluice/v1/evaluation.grpc.pb.h"
#include "tests/client/fake_server.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Says what it was asked, and what a test wants it to say.
class FakeEvaluation final : public v1::EvaluationService::Service {
 public:
  grpc::Status Evaluate(grpc::ServerContext*, const v1::EvaluateRequest* in,
                        v1::EvaluateResponse* out) override {
    evaluate = *in;
    *out = evaluated;
    return grpc::Status::OK;
  }
  grpc::Status SelfTest(grpc::ServerContext*, const v1::SelfTestRequest* in,
                        v1::SelfTestResponse* out) override {
    v1::Law* law = out->add_laws();
    law->set_law("round_trip");
    law->set_measured(static_cast<double>(in->draws()));
    law->set_checked(true);
    return grpc::Status::OK;
  }
  grpc::Status SampleCorrected(grpc::ServerContext*, const v1::SampleCorrectedRequest* in,
                               v1::SampleCorrectedResponse* out) override {
    sample = *in;
    *out = sampled;
    return grpc::Status::OK;
  }

  v1::EvaluateRequest evaluate;
  v1::EvaluateResponse evaluated;
  v1::SampleCorrectedRequest sample;
  v1::SampleCorrectedResponse sampled;
};

class ClientEvaluation : public ::testing::Test {
 protected:
  FakeEvaluation service_;
  const FakeServer server_{{&service_}};
  const std::unique_ptr<Client> client_ = server_.Connect();
};

TEST_F(ClientEvaluation, OfADataset) {
  v1::DatasetFit& fit = *service_.evaluated.mutable_dataset();
  fit.set_origin(v1::ROWS_ORIGIN_HELD_OUT);
  fit.mutable_log_likelihood()->set_mean(-2.5);
  fit.add_columns()->add_counts(7);
  fit.add_coverage()->set_level(0.5);
  service_.evaluated.add_notes("a note");
  const Result<Evaluation> evaluation =
      client_->Evaluate("wow@3", {.dataset = "wow", .rows = 5, .seed = 9, .held_out = true});
  ASSERT_TRUE(evaluation.ok()) << evaluation.status().ToString();
  EXPECT_EQ(service_.evaluate.model(), "models/wow/versions/3");
  EXPECT_EQ(service_.evaluate.dataset(), "datasets/wow");
  EXPECT_EQ(service_.evaluate.rows(), 5);
  EXPECT_EQ(service_.evaluate.seed(), 9U);
  EXPECT_TRUE(service_.evaluate.held_out());
  ASSERT_TRUE(evaluation->dataset.has_value());
  EXPECT_FALSE(evaluation->target);
  EXPECT_EQ(evaluation->dataset->origin, RowsOrigin::kHeldOut);
  EXPECT_EQ(evaluation->dataset->log_likelihood.mean, -2.5);
  EXPECT_THAT(evaluation->dataset->columns.at(0).counts, ElementsAre(7));
  EXPECT_THAT(evaluation->notes, ElementsAre("a note"));
}

TEST_F(ClientEvaluation, OfATarget) {
  service_.evaluated.mutable_target()->mutable_weights()->set_pareto_k(0.5);
  const Result<Evaluation> evaluation = client_->Evaluate("ring", {.target = "ring", .draws = 5});
  ASSERT_TRUE(evaluation.ok());
  EXPECT_EQ(service_.evaluate.target(), "targets/ring");
  ASSERT_TRUE(evaluation->target.has_value());
  EXPECT_FALSE(evaluation->target->kl);
  EXPECT_EQ(evaluation->target->weights.pareto_k, 0.5);
}

TEST_F(ClientEvaluation, OfBothIsAnError) {
  const Status status = client_->Evaluate("wow", {.dataset = "a", .target = "b"}).status();
  EXPECT_EQ(status.code, Code::kInvalidArgument);
  EXPECT_THAT(status.message, HasSubstr("not both"));
}

TEST_F(ClientEvaluation, SelfTest) {
  const Result<SelfTestReport> report = client_->SelfTest("wow", {.draws = 200});
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->passed);
  EXPECT_EQ(report->laws.at(0).name, "round_trip");
  EXPECT_EQ(report->laws.at(0).measured, 200);
}

TEST_F(ClientEvaluation, CorrectedSamples) {
  v1::Tensor& x = *service_.sampled.mutable_x();
  x.add_shape(2);
  x.add_shape(1);
  x.add_values(1);
  x.add_values(2);
  const Client::CorrectionOptions options{
      .method = Correction::kMcmc, .seed = 4, .chains = 2, .burn_in = 0};
  const Result<CorrectedSamples> samples = client_->SampleCorrected("wow", "ring", 2, options);
  ASSERT_TRUE(samples.ok()) << samples.status().ToString();
  EXPECT_THAT(samples->x.values, ElementsAre(1, 2));
  EXPECT_EQ(service_.sample.correction(), v1::CORRECTION_MCMC);
  EXPECT_TRUE(service_.sample.has_burn_in());
  EXPECT_EQ(service_.sample.seed(), 4U);
  // A reply of other rows than were asked for, or of weights for others.
  EXPECT_EQ(client_->SampleCorrected("wow", "ring", 3, options).status().code, Code::kInternal);
  service_.sampled.mutable_log_weight()->add_shape(1);
  service_.sampled.mutable_log_weight()->add_values(0);
  EXPECT_EQ(client_->SampleCorrected("wow", "ring", 2, options).status().code, Code::kInternal);
}

}  // namespace
}  // namespace sluice
