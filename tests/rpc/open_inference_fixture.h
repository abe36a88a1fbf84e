// Requests of the Open Inference Protocol, to a server with a model `wow` of float32 and
// a model `wide` of float64.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "inference/open_inference.grpc.pb.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {

using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelInferResponse;

inline constexpr int64_t kDim = 3;
inline constexpr int64_t kRows = 5;

template <typename T>
std::string BytesOf(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
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

}  // namespace sluiced::testing
