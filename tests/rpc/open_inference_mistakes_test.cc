// What requests of the Open Inference Protocol get that are wrong.
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/rpc/open_inference_fixture.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;

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

}  // namespace
}  // namespace sluiced::testing
