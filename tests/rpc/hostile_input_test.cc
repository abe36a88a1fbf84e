// What strangers may send, against a running server that serves on.
#include <cmath>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

class HostileInput : public ::testing::Test {
 protected:
  HostileInput() { MakeModel(server_, "wow", 2); }
  ~HostileInput() override {
    EXPECT_EQ(LogProb("models/wow", SmallNumbers(3, 2)).code, StatusCode::OK) << "serves on";
  }

  Seen LogProb(const std::string& model, const v1::Tensor& x) {
    grpc::ClientContext context;
    v1::LogProbRequest request;
    request.set_model(model);
    *request.mutable_x() = x;
    v1::LogProbResponse reply;
    return SeenBy(server_.inference->LogProb(&context, request, &reply));
  }
  Seen Transform(const v1::TransformRequest& request) {
    grpc::ClientContext context;
    v1::TransformResponse reply;
    return SeenBy(server_.inference->Transform(&context, request, &reply));
  }
  Seen Sample(const std::function<void(v1::SampleRequest*)>& change) {
    grpc::ClientContext context;
    v1::SampleRequest request;
    request.set_model("models/wow");
    change(&request);
    v1::SampleResponse reply;
    return SeenBy(server_.inference->Sample(&context, request, &reply));
  }

  TestServer server_;
};

TEST_F(HostileInput, TensorsThatLie) {
  v1::Tensor overflow = SmallNumbers(2, 2);
  overflow.set_shape(0, int64_t{1} << 62);
  EXPECT_EQ(LogProb("models/wow", overflow).field, "x.shape");
  v1::Tensor truncated = SmallNumbers(2, 2);
  truncated.mutable_data()->pop_back();
  EXPECT_EQ(LogProb("models/wow", truncated).field, "x.data");
  v1::Tensor both = SmallNumbers(1, 2);
  both.add_values(1);
  both.add_values(2);
  EXPECT_EQ(LogProb("models/wow", both).field, "x");
  EXPECT_EQ(LogProb("models/wow", SmallNumbers(2, 3)).field, "x.shape");
  EXPECT_EQ(LogProb("models/wow", v1::Tensor()).code, StatusCode::INVALID_ARGUMENT);
}

TEST_F(HostileInput, RowsThatAreNotFiniteAreNamed) {
  v1::Tensor x;
  x.add_shape(2);
  x.add_shape(2);
  for (const double value : {1.0, 2.0, 3.0, std::numeric_limits<double>::quiet_NaN()}) {
    x.add_values(value);
  }
  Seen seen = LogProb("models/wow", x);
  EXPECT_EQ(seen.field, "x.values") << seen;
  EXPECT_THAT(seen.message, HasSubstr("row 1, column 1"));
  v1::TransformRequest transform;
  transform.set_model("models/wow");
  transform.set_direction(v1::DIRECTION_TO_BASE);
  *transform.mutable_points() = x;
  seen = Transform(transform);
  EXPECT_EQ(seen.field, "points.values") << seen;
}

TEST_F(HostileInput, NamesAndDirections) {
  for (const std::string& name :
       {std::string(), std::string("wow"), std::string("models/../wow"), std::string("models/wow/"),
        "models/" + std::string(1 << 20, 'a'), std::string("trainJobs/x/snapshots/-1")}) {
    const Seen seen = LogProb(name, SmallNumbers(1, 2));
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << seen;
    EXPECT_EQ(seen.field, "model");
  }
  EXPECT_EQ(LogProb("trainJobs/x/snapshots/1", SmallNumbers(1, 2)).code, StatusCode::NOT_FOUND);
  v1::TransformRequest request;
  request.set_model("models/wow");
  *request.mutable_points() = SmallNumbers(1, 2);
  EXPECT_EQ(Transform(request).field, "direction");
  request.set_direction(static_cast<v1::Direction>(7));
  EXPECT_EQ(Transform(request).field, "direction");
}

TEST_F(HostileInput, CountsOfSamples) {
  EXPECT_EQ(Sample([](auto* in) { in->set_rows(-1); }).field, "rows");
  EXPECT_EQ(Sample([](auto* in) { in->set_first_row(-1); }).field, "first_row");
  const Seen overflow = Sample([](auto* in) {
    in->set_rows(2);
    in->set_first_row(std::numeric_limits<int64_t>::max() - 1);
  });
  EXPECT_EQ(overflow.field, "rows") << overflow;
  EXPECT_EQ(Sample([](auto* in) { in->set_rows(0); }).code, StatusCode::OK);
}

// Far out, exp overflows: the row says so, its neighbours stay as they are.
TEST_F(HostileInput, RowsThatOverflowAreMarkedAndLeaveTheirNeighboursAlone) {
  v1::CreateModelRequest create;
  create.set_model_id("raw");
  create.mutable_spec()->set_dim(2);
  create.mutable_spec()->set_scale_bound(0);
  create.mutable_spec()->set_initialization(v1::INITIALIZATION_UNIFORM);
  grpc::ClientContext create_context;
  v1::Model model;
  ASSERT_TRUE(server_.models->CreateModel(&create_context, create, &model).ok());

  v1::LogProbRequest request;
  request.set_model("models/raw");
  request.mutable_x()->add_shape(3);
  request.mutable_x()->add_shape(2);
  for (const double value : {0.1, 0.2, 1e30, -1e30, 0.1, 0.2})
    request.mutable_x()->add_values(value);
  grpc::ClientContext context;
  v1::LogProbResponse reply;
  const grpc::Status status = server_.inference->LogProb(&context, request, &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply.not_finite(), std::string("\0\1\0", 3));
  float scores[3];
  ASSERT_EQ(reply.log_prob().data().size(), sizeof(scores));
  memcpy(scores, reply.log_prob().data().data(), sizeof(scores));
  EXPECT_EQ(scores[1], -HUGE_VALF);
  EXPECT_EQ(scores[0], scores[2]);
}

TEST_F(HostileInput, RepliesThatWouldBeManyTimesTheirRequest) {
  v1::CreateModelRequest create;
  create.set_model_id("tall");
  create.mutable_spec()->set_dim(2);
  create.mutable_spec()->set_layers(1000);
  create.mutable_spec()->set_hidden(1);
  grpc::ClientContext create_context;
  v1::Model model;
  ASSERT_TRUE(server_.models->CreateModel(&create_context, create, &model).ok());
  v1::TransformRequest request;
  request.set_model("models/tall");
  request.set_direction(v1::DIRECTION_TO_BASE);
  request.set_with_layers(true);
  *request.mutable_points() = SmallNumbers(50000, 2);
  const Seen seen = Transform(request);
  EXPECT_EQ(seen.code, StatusCode::RESOURCE_EXHAUSTED) << seen;
}

TEST_F(HostileInput, UpdatesOfWhatCannotBeUpdated) {
  v1::UpdateModelRequest request;
  request.mutable_model()->set_name("models/wow");
  request.mutable_update_mask()->add_paths("spec.dim");
  grpc::ClientContext context;
  v1::Model model;
  EXPECT_EQ(SeenBy(server_.models->UpdateModel(&context, request, &model)).field, "update_mask");
}

}  // namespace
}  // namespace sluiced::testing
