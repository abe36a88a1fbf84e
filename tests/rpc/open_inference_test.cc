// The Open Inference Protocol, beside the server's own.
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "inference/open_inference.grpc.pb.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using ::testing::ElementsAre;

constexpr int64_t kDim = 3;
constexpr int64_t kRows = 5;

template <typename T>
std::string BytesOf(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

template <typename T>
std::vector<T> NumbersOf(const std::string& bytes) {
  std::vector<T> numbers(bytes.size() / sizeof(T));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

class OpenInference : public ::testing::Test {
 protected:
  OpenInference() {
    MakeModel(server_, "wow", kDim);
    v1::CreateModelRequest wide;
    wide.set_model_id("wide");
    wide.mutable_spec()->set_dim(kDim);
    wide.mutable_spec()->set_layers(4);
    wide.mutable_spec()->set_hidden(8);
    wide.mutable_spec()->set_dtype(v1::DTYPE_FLOAT64);
    grpc::ClientContext context;
    v1::Model model;
    EXPECT_TRUE(server_.models->CreateModel(&context, wide, &model).ok());
  }

  static std::vector<double> Points() {
    std::vector<double> points;
    for (int i = 0; i < kRows * kDim; ++i) points.push_back(0.25 * i - 1);  // Exact in both.
    return points;
  }

  struct Form {
    std::string model;
    std::string datatype;
    bool raw;
  };
  static ModelInferRequest Scoring(const Form& form) {
    ModelInferRequest request;
    request.set_model_name(form.model + ".log_prob");
    request.set_id("seven");
    auto* x = request.add_inputs();
    x->set_name("x");
    x->set_datatype(form.datatype);
    x->add_shape(kRows);
    x->add_shape(kDim);
    const std::vector<double> points = Points();
    const std::vector<float> narrow(points.begin(), points.end());
    const bool wide = form.datatype == "FP64";
    if (form.raw) {
      request.add_raw_input_contents(wide ? BytesOf(points) : BytesOf(narrow));
    } else if (wide) {
      x->mutable_contents()->mutable_fp64_contents()->Add(points.begin(), points.end());
    } else {
      x->mutable_contents()->mutable_fp32_contents()->Add(narrow.begin(), narrow.end());
    }
    return request;
  }
  static ModelInferRequest Scoring() { return Scoring({"wow", "FP32", false}); }

  static ModelInferRequest Sampling(int64_t rows) {
    ModelInferRequest request;
    request.set_model_name("wow.sample");
    auto* input = request.add_inputs();
    input->set_name("rows");
    input->set_datatype("INT64");
    input->add_shape(1);
    input->mutable_contents()->add_int64_contents(rows);
    (*request.mutable_parameters())["seed"].set_int64_param(7);
    return request;
  }

  ModelInferResponse Infer(const ModelInferRequest& request) {
    grpc::ClientContext context;
    ModelInferResponse reply;
    const grpc::Status status = stub_->ModelInfer(&context, request, &reply);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return reply;
  }
  Seen Refused(const ModelInferRequest& request) {
    grpc::ClientContext context;
    ModelInferResponse reply;
    return SeenBy(stub_->ModelInfer(&context, request, &reply));
  }

  // What the server's own protocol says to the same points.
  std::string OwnScores(const std::string& model) {
    v1::LogProbRequest request;
    request.set_model("models/" + model);
    request.mutable_x()->add_shape(kRows);
    request.mutable_x()->add_shape(kDim);
    for (const double value : Points()) request.mutable_x()->add_values(value);
    grpc::ClientContext context;
    v1::LogProbResponse reply;
    EXPECT_TRUE(server_.inference->LogProb(&context, request, &reply).ok());
    return reply.log_prob().data();
  }

  TestServer server_;
  const std::unique_ptr<GRPCInferenceService::Stub> stub_ =
      GRPCInferenceService::NewStub(server_.Connect());
};

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

TEST_F(OpenInference, BadRequestsNameTheirField) {
  const auto x = [](ModelInferRequest* in) { return in->mutable_inputs(0); };
  const auto floats = [&x](ModelInferRequest* in) {
    return x(in)->mutable_contents()->mutable_fp32_contents();
  };
  const std::pair<const char*, std::function<void(ModelInferRequest*)>> table[] = {
      {"model_name", [](auto* in) { in->set_model_name("../etc.log_prob"); }},
      {"model_name", [](auto* in) { in->set_model_name(".log_prob"); }},
      {"model_version", [](auto* in) { in->set_model_version("01"); }},
      {"model_version", [](auto* in) { in->set_model_version("1/versions/2"); }},
      {"inputs", [](auto* in) { in->clear_inputs(); }},
      {"inputs[0].name", [&](auto* in) { x(in)->set_name("y"); }},
      {"inputs[1].name", [&](auto* in) { *in->add_inputs() = in->inputs(0); }},
      {"inputs[0].datatype", [&](auto* in) { x(in)->set_datatype("INT32"); }},
      {"inputs[0].datatype", [&](auto* in) { x(in)->set_datatype(""); }},
      {"inputs[0].shape", [&](auto* in) { x(in)->set_shape(1, -3); }},
      {"inputs[0].shape", [&](auto* in) { x(in)->set_shape(0, INT64_MAX); }},
      {"inputs[0].shape",
       [&](auto* in) {
         x(in)->set_shape(0, kRows * kDim);
         x(in)->set_shape(1, 1);
       }},
      {"inputs[0].contents.fp32_contents", [&](auto* in) { x(in)->set_shape(0, 4); }},
      {"inputs[0].contents.fp32_contents", [&](auto* in) { floats(in)->RemoveLast(); }},
      {"inputs[0].contents.fp64_contents", [&](auto* in) { x(in)->set_datatype("FP64"); }},
      {"inputs[0].contents.fp32_contents",
       [&](auto* in) { floats(in)->Set(2, std::numeric_limits<float>::quiet_NaN()); }},
      {"inputs[0].contents", [](auto* in) { in->add_raw_input_contents("x"); }},
      {"raw_input_contents[0]",
       [](auto* in) {
         *in = Scoring({"wow", "FP32", true});
         in->mutable_raw_input_contents(0)->pop_back();
       }},
      {"raw_input_contents[0]",
       [](auto* in) {
         *in = Scoring({"wow", "FP64", true});
         in->set_raw_input_contents(0, BytesOf(std::vector<double>(kRows * kDim, 1e300)));
       }},
      {"raw_input_contents",
       [](auto* in) {
         *in = Scoring({"wow", "FP32", true});
         in->add_raw_input_contents("");
       }},
      {"outputs[0].name", [](auto* in) { in->add_outputs()->set_name("x"); }},
      {"outputs[1].name",
       [](auto* in) {
         in->add_outputs()->set_name("log_prob");
         in->add_outputs()->set_name("log_prob");
       }},
      {"parameters", [](auto* in) { (*in->mutable_parameters())["seed"].set_int64_param(1); }},
  };
  for (const auto& [field, change] : table) {
    ModelInferRequest request = Scoring();
    change(&request);
    const Seen seen = Refused(request);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << field << " " << seen;
    EXPECT_EQ(seen.field, field) << seen;
  }
}

TEST_F(OpenInference, BadSamplesNameTheirField) {
  const auto set = [](ModelInferRequest* in, const char* name) -> inference::InferParameter& {
    return (*in->mutable_parameters())[name];
  };
  const std::pair<const char*, std::function<void(ModelInferRequest*)>> table[] = {
      {"inputs", [](auto* in) { in->clear_inputs(); }},
      {"inputs[0].datatype", [](auto* in) { in->mutable_inputs(0)->set_datatype("INT32"); }},
      {"inputs[0].shape", [](auto* in) { in->mutable_inputs(0)->add_shape(1); }},
      {"inputs[0].contents.int64_contents",
       [](auto* in) { in->mutable_inputs(0)->clear_contents(); }},
      {"inputs[0].contents.int64_contents",
       [](auto* in) { in->mutable_inputs(0)->mutable_contents()->set_int64_contents(0, -1); }},
      {"parameters.rows", [&](auto* in) { set(in, "rows").set_int64_param(1); }},
      {"parameters.rows",
       [&](auto* in) {
         in->clear_inputs();
         set(in, "rows").set_int64_param(-1);
       }},
      {"parameters.rows",
       [&](auto* in) {
         in->clear_inputs();
         set(in, "rows").set_string_param("5");
       }},
      {"parameters.seed", [&](auto* in) { set(in, "seed").set_int64_param(-1); }},
      {"parameters.seed", [&](auto* in) { set(in, "seed").set_bool_param(true); }},
      {"parameters.first_row", [&](auto* in) { set(in, "first_row").set_int64_param(-1); }},
      {"parameters.first_row",
       [&](auto* in) { set(in, "first_row").set_uint64_param(UINT64_MAX); }},
      {"parameters", [&](auto* in) { set(in, "sead").set_int64_param(1); }},
      {"outputs[0].name", [](auto* in) { in->add_outputs()->set_name("z"); }},
  };
  for (const auto& [field, change] : table) {
    ModelInferRequest request = Sampling(3);
    change(&request);
    const Seen seen = Refused(request);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << field << " " << seen;
    EXPECT_EQ(seen.field, field) << seen;
  }
}

TEST_F(OpenInference, WhatIsNotThereIsNamed) {
  const struct {
    const char* model;
    const char* version;
    const char* resource;
  } table[] = {{"nobody.log_prob", "", "models/nobody"},
               {"wow.log_prob", "9", "models/wow/versions/9"},
               {"wow.log_prob", "best", "models/wow/versions/best"},
               {"wow", "", "wow"},
               {"wow.transform", "", "wow.transform"},
               {"", "", ""}};
  for (const auto& one : table) {
    ModelInferRequest request = Scoring();
    request.set_model_name(one.model);
    request.set_model_version(one.version);
    const Seen seen = Refused(request);
    EXPECT_EQ(seen.code, StatusCode::NOT_FOUND) << one.model << " " << seen;
    EXPECT_EQ(seen.resource, one.resource) << seen;
  }
}

TEST_F(OpenInference, TooManyRowsAreTooMany) {
  for (const int64_t rows : {int64_t{1'000'001}, INT64_MAX}) {
    EXPECT_EQ(Refused(Sampling(rows)).code, StatusCode::RESOURCE_EXHAUSTED) << rows;
  }
  constexpr int64_t kMany = 1'000'001;
  ModelInferRequest request = Scoring({"wow", "FP32", true});
  request.mutable_inputs(0)->set_shape(0, kMany);
  request.set_raw_input_contents(0, std::string(kMany * kDim * sizeof(float), '\0'));
  EXPECT_EQ(Refused(request).code, StatusCode::RESOURCE_EXHAUSTED);
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
