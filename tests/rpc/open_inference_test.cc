// The Open Inference Protocol, beside the server's own.
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "tests/rpc/open_inference_fixture.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using ::testing::ElementsAre;

template <typename T>
std::vector<T> NumbersOf(const std::string& bytes) {
  std::vector<T> numbers(bytes.size() / sizeof(T));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

TEST_F(OpenInference, ScoresAreTheServersOwnInEveryForm) {
  for (const char* model : {"wow", "wide"}) {
    const bool wide = std::string(model) == "wide";
    const std::string own = OwnScores(model);
    for (const char* datatype : {"FP32", "FP64"}) {
      for (const bool raw : {false, true}) {
        const ModelInferResponse reply = Infer(Scoring({model, datatype, raw}));
        EXPECT_EQ(reply.model_name(), std::string(model) + ".log_prob");
        EXPECT_EQ(reply.model_version(), "0");
        EXPECT_EQ(reply.id(), "seven");
        ASSERT_EQ(reply.outputs_size(), 2);
        const auto& scores = reply.outputs(0);
        EXPECT_EQ(scores.name(), "log_prob");
        EXPECT_EQ(scores.datatype(), wide ? "FP64" : "FP32");
        EXPECT_THAT(scores.shape(), ElementsAre(kRows));
        EXPECT_EQ(reply.outputs(1).name(), "not_finite");
        EXPECT_EQ(reply.outputs(1).datatype(), "BOOL");
        if (raw) {
          ASSERT_EQ(reply.raw_output_contents_size(), 2);
          EXPECT_EQ(reply.raw_output_contents(0), own) << model << datatype;
          EXPECT_EQ(reply.raw_output_contents(1), std::string(kRows, '\0'));
          EXPECT_FALSE(scores.has_contents());
        } else {
          EXPECT_EQ(reply.raw_output_contents_size(), 0);
          const auto& numbers = scores.contents();
          EXPECT_EQ(wide ? BytesOf(std::vector<double>(numbers.fp64_contents().begin(),
                                                       numbers.fp64_contents().end()))
                         : BytesOf(std::vector<float>(numbers.fp32_contents().begin(),
                                                      numbers.fp32_contents().end())),
                    own)
              << model << datatype;
          EXPECT_EQ(reply.outputs(1).contents().bool_contents_size(), kRows);
        }
      }
    }
  }
}

TEST_F(OpenInference, SamplesAreTheServersOwn) {
  v1::SampleRequest own_request;
  own_request.set_model("models/wow");
  own_request.set_rows(4);
  own_request.set_seed(7);
  own_request.set_with_log_prob(true);
  own_request.set_first_row(2);
  grpc::ClientContext context;
  v1::SampleResponse own;
  ASSERT_TRUE(server_.inference->Sample(&context, own_request, &own).ok());

  ModelInferRequest request = Sampling(4);
  (*request.mutable_parameters())["first_row"].set_int64_param(2);
  const ModelInferResponse typed = Infer(request);
  ASSERT_EQ(typed.outputs_size(), 4);
  EXPECT_EQ(typed.outputs(0).name(), "x");
  EXPECT_THAT(typed.outputs(0).shape(), ElementsAre(4, kDim));
  const auto& x = typed.outputs(0).contents().fp32_contents();
  EXPECT_EQ(BytesOf(std::vector<float>(x.begin(), x.end())), own.x().data());
  EXPECT_EQ(typed.outputs(3).name(), "seed");
  EXPECT_EQ(typed.outputs(3).datatype(), "UINT64");
  EXPECT_THAT(typed.outputs(3).contents().uint64_contents(), ElementsAre(7));

  request.mutable_inputs(0)->clear_contents();
  request.add_raw_input_contents(BytesOf(std::vector<int64_t>{4}));
  const ModelInferResponse raw = Infer(request);
  EXPECT_EQ(raw.raw_output_contents(0), own.x().data());
  EXPECT_EQ(raw.raw_output_contents(1), own.log_prob().data());
  EXPECT_THAT(NumbersOf<uint64_t>(raw.raw_output_contents(3)), ElementsAre(7));

  request.clear_inputs();
  request.clear_raw_input_contents();
  (*request.mutable_parameters())["rows"].set_int64_param(4);
  (*request.mutable_parameters())["seed"].set_uint64_param(7);
  EXPECT_EQ(Infer(request).SerializeAsString(), typed.SerializeAsString());
  (*request.mutable_parameters())["rows"].set_int64_param(0);
  EXPECT_THAT(Infer(request).outputs(0).shape(), ElementsAre(0, kDim));
}

TEST_F(OpenInference, ASeedThatWasDrawnMakesTheSameRowsAgain) {
  ModelInferRequest request = Sampling(3);
  request.clear_parameters();
  const ModelInferResponse drawn = Infer(request);
  (*request.mutable_parameters())["seed"].set_uint64_param(
      drawn.outputs(3).contents().uint64_contents(0));
  EXPECT_EQ(Infer(request).SerializeAsString(), drawn.SerializeAsString());
}

TEST_F(OpenInference, OnlyTheOutputsAskedForComeAndInThatOrder) {
  ModelInferRequest request = Sampling(2);
  request.add_outputs()->set_name("seed");
  request.add_outputs()->set_name("x");
  const ModelInferResponse reply = Infer(request);
  ASSERT_EQ(reply.outputs_size(), 2);
  EXPECT_EQ(reply.outputs(0).name(), "seed");
  EXPECT_EQ(reply.outputs(1).name(), "x");
}

TEST_F(OpenInference, RowsThatOverflowAreMarked) {
  v1::CreateModelRequest create;
  create.set_model_id("raw");
  create.mutable_spec()->set_dim(2);
  create.mutable_spec()->set_scale_bound(0);
  create.mutable_spec()->set_initialization(v1::INITIALIZATION_UNIFORM);
  grpc::ClientContext context;
  v1::Model model;
  ASSERT_TRUE(server_.models->CreateModel(&context, create, &model).ok());
  ModelInferRequest request;
  request.set_model_name("raw.log_prob");
  auto* x = request.add_inputs();
  x->set_name("x");
  x->set_datatype("FP32");
  x->add_shape(2);
  x->add_shape(2);
  for (const float value : {0.1F, 0.2F, 1e30F, -1e30F})
    x->mutable_contents()->add_fp32_contents(value);
  EXPECT_THAT(Infer(request).outputs(1).contents().bool_contents(), ElementsAre(false, true));
  request.add_raw_input_contents(BytesOf(std::vector<float>{0.1F, 0.2F, 1e30F, -1e30F}));
  request.mutable_inputs(0)->clear_contents();
  EXPECT_EQ(Infer(request).raw_output_contents(1), std::string("\0\1", 2));
}

TEST_F(OpenInference, VersionsAreNumbersAliasesOrTheLatest) {
  v1::SetAliasRequest alias;
  alias.set_model("models/wow");
  alias.set_alias("best");
  alias.set_version(0);
  grpc::ClientContext context;
  v1::Model model;
  ASSERT_TRUE(server_.models->SetAlias(&context, alias, &model).ok());
  for (const char* version : {"", "0", "best", "latest"}) {
    ModelInferRequest request = Scoring();
    request.set_model_version(version);
    EXPECT_EQ(Infer(request).model_version(), "0") << version;
  }
}

TEST_F(OpenInference, NoRowsAreAnAnswerToo) {
  ModelInferRequest request = Scoring();
  request.mutable_inputs(0)->set_shape(0, 0);
  request.mutable_inputs(0)->clear_contents();
  EXPECT_THAT(Infer(request).outputs(0).shape(), ElementsAre(0));
  request.add_raw_input_contents("");
  EXPECT_THAT(Infer(request).raw_output_contents(), ElementsAre("", ""));
}

TEST_F(OpenInference, TheServerAndItsModelsTellOfThemselves) {
  grpc::ClientContext live_context, ready_context, server_context;
  inference::ServerLiveResponse live;
  EXPECT_TRUE(stub_->ServerLive(&live_context, {}, &live).ok());
  EXPECT_TRUE(live.live());
  inference::ServerReadyResponse ready;
  EXPECT_TRUE(stub_->ServerReady(&ready_context, {}, &ready).ok());
  EXPECT_TRUE(ready.ready());
  inference::ServerMetadataResponse about;
  EXPECT_TRUE(stub_->ServerMetadata(&server_context, {}, &about).ok());
  EXPECT_EQ(about.name(), "sluice");
  EXPECT_FALSE(about.version().empty());
}

TEST_F(OpenInference, ModelsAreReadyWhenTheyAreThere) {
  const struct {
    const char* name;
    const char* version;
    bool ready;
  } table[] = {
      {"wow.log_prob", "", true},   {"wow.sample", "0", true}, {"wow.sample", "latest", true},
      {"wow.log_prob", "1", false}, {"wow", "", false},        {"nobody.sample", "", false}};
  for (const auto& one : table) {
    inference::ModelReadyRequest request;
    request.set_name(one.name);
    request.set_version(one.version);
    grpc::ClientContext context;
    inference::ModelReadyResponse reply;
    const grpc::Status status = stub_->ModelReady(&context, request, &reply);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(reply.ready(), one.ready) << one.name << " " << one.version;
  }
}

// "x FP32 -1,3"
std::string Text(const inference::ModelMetadataResponse::TensorMetadata& tensor) {
  return absl::StrCat(tensor.name(), " ", tensor.datatype(), " ",
                      absl::StrJoin(tensor.shape(), ","));
}

TEST_F(OpenInference, MetadataDescribesTheTensors) {
  const struct {
    const char* name;
    std::vector<std::string> inputs, outputs;
  } table[] = {
      {"wow.log_prob", {"x FP32 -1,3"}, {"log_prob FP32 -1", "not_finite BOOL -1"}},
      {"wide.log_prob", {"x FP64 -1,3"}, {"log_prob FP64 -1", "not_finite BOOL -1"}},
      {"wide.sample",
       {"rows INT64 1"},
       {"x FP64 -1,3", "log_prob FP64 -1", "not_finite BOOL -1", "seed UINT64 1"}},
  };
  for (const auto& one : table) {
    inference::ModelMetadataRequest request;
    request.set_name(one.name);
    grpc::ClientContext context;
    inference::ModelMetadataResponse reply;
    ASSERT_TRUE(stub_->ModelMetadata(&context, request, &reply).ok());
    EXPECT_EQ(reply.name(), one.name);
    EXPECT_THAT(reply.versions(), ElementsAre("0"));
    EXPECT_EQ(reply.platform(), "sluice_flow");
    std::vector<std::string> inputs, outputs;
    for (const auto& tensor : reply.inputs()) inputs.push_back(Text(tensor));
    for (const auto& tensor : reply.outputs()) outputs.push_back(Text(tensor));
    EXPECT_EQ(inputs, one.inputs) << one.name;
    EXPECT_EQ(outputs, one.outputs) << one.name;
  }
  inference::ModelMetadataRequest unknown;
  unknown.set_name("wow.log_prob");
  unknown.set_version("4");
  grpc::ClientContext context;
  inference::ModelMetadataResponse reply;
  const Seen seen = SeenBy(stub_->ModelMetadata(&context, unknown, &reply));
  EXPECT_EQ(seen.code, StatusCode::NOT_FOUND) << seen;
  EXPECT_EQ(seen.resource, "models/wow/versions/4");
}

}  // namespace
}  // namespace sluiced::testing
