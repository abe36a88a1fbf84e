// The seed's own numbers, through a running server: its weights imported as they
// are, its log-probabilities reproduced.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"
#include "server/common/safetensors.h"
#include "server/rpc/encode_tensor.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

std::string ReadData(const std::string& name) {
  std::ifstream file(std::string(SLUICE_TEST_DATA "/parity/") + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

struct Case {
  const char* name;
  double tolerance;  // Relative.
};
class Parity : public ::testing::TestWithParam<Case> {};

grpc::Status Import(TestServer& server, const std::string& file, v1::Model* model) {
  grpc::ClientContext context;
  const auto writer = server.models->ImportModel(&context, model);
  v1::ImportModelRequest part;
  part.mutable_header()->set_model_id("seed");
  writer->Write(part);
  for (size_t at = 0; at < file.size(); at += 10000) {
    part.set_chunk(file.substr(at, 10000));
    writer->Write(part);
  }
  writer->WritesDone();
  return writer->Finish();
}

TEST_P(Parity, LogProbIsTheSeeds) {
  const std::string name = GetParam().name;
  TestServer server;
  v1::Model model;
  const grpc::Status imported = Import(server, ReadData(name + ".weights.safetensors"), &model);
  ASSERT_TRUE(imported.ok()) << imported.error_message();
  const auto expected = DecodeSafetensors(ReadData(name + ".expected.safetensors"));
  ASSERT_TRUE(expected.ok()) << expected.status();

  v1::LogProbRequest request;
  request.set_model("models/seed");
  rpc::EncodeTensor(expected->tensors.at("x"), request.mutable_x());
  grpc::ClientContext context;
  v1::LogProbResponse reply;
  const grpc::Status status = server.inference->LogProb(&context, request, &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();

  const Array& want = expected->tensors.at("log_prob");
  Array got(want.dtype(), want.shape());
  ASSERT_EQ(reply.log_prob().data().size(), got.bytes().size());
  std::transform(reply.log_prob().data().begin(), reply.log_prob().data().end(),
                 got.bytes().begin(), [](char byte) { return static_cast<std::byte>(byte); });
  for (int64_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(got.At(i), want.At(i), GetParam().tolerance * std::max(1.0, std::abs(want.At(i))))
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Parity,
                         ::testing::Values(Case{"d2_l8_h32_f32", 1e-5},
                                           Case{"d2_l8_h32_f64", 1e-12},
                                           Case{"d5_l7_h16_f32", 1e-5},
                                           Case{"d5_l7_h16_f64", 1e-12}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace sluiced::testing
