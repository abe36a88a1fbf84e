// Reflection, as grpcurl asks for it.
#include <google/protobuf/descriptor.pb.h>

#include <string>

#include "gmock/gmock.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

namespace reflection = ::grpc::reflection::v1alpha;
using ::testing::Contains;
using ::testing::UnorderedElementsAre;

class Reflection : public ::testing::Test {
 protected:
  reflection::ServerReflectionResponse Ask(const reflection::ServerReflectionRequest& request) {
    reflection::ServerReflectionResponse reply;
    EXPECT_TRUE(stream_->Write(request));
    EXPECT_TRUE(stream_->Read(&reply));
    EXPECT_EQ(reply.original_request().SerializeAsString(), request.SerializeAsString());
    return reply;
  }
  // Names of the files in the reply.
  std::vector<std::string> Files(const reflection::ServerReflectionResponse& reply) {
    std::vector<std::string> names;
    for (const auto& bytes : reply.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.push_back(file.name());
    }
    return names;
  }

  TestServer server_;
  const std::unique_ptr<reflection::ServerReflection::Stub> stub_ =
      reflection::ServerReflection::NewStub(server_.Connect());
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientReaderWriter<reflection::ServerReflectionRequest,
                                                 reflection::ServerReflectionResponse>>
      stream_ = stub_->ServerReflectionInfo(&context_);
};

TEST_F(Reflection, ListsTheServices) {
  reflection::ServerReflectionRequest request;
  request.set_list_services("*");
  std::vector<std::string> names;
  const reflection::ServerReflectionResponse reply = Ask(request);
  for (const auto& service : reply.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, UnorderedElementsAre(
                         "sluice.v1.ModelService", "sluice.v1.DatasetService",
                         "sluice.v1.TrainingService", "sluice.v1.InferenceService",
                         "inference.GRPCInferenceService", "sluice.v1.ServerService",
                         "sluice.v1.BackupService", "sluice.v1.EvaluationService",
                         "grpc.reflection.v1alpha.ServerReflection", "grpc.health.v1.Health"));
}

TEST_F(Reflection, FilesComeWithWhatTheyImport) {
  reflection::ServerReflectionRequest request;
  for (const char* symbol : {"sluice.v1.InferenceService", "sluice.v1.InferenceService.LogProb",
                             "sluice.v1.LogProbRequest", "sluice.v1.LogProbRequest.model"}) {
    request.set_file_containing_symbol(symbol);
    const std::vector<std::string> files = Files(Ask(request));
    ASSERT_FALSE(files.empty()) << symbol;
    EXPECT_EQ(files.front(), "sluice/v1/inference.proto");
    EXPECT_THAT(files, Contains("sluice/v1/tensor.proto"));
  }
  request.set_file_by_filename("sluice/v1/tensor.proto");
  EXPECT_EQ(Files(Ask(request)).front(), "sluice/v1/tensor.proto");
  request.set_all_extension_numbers_of_type("sluice.v1.Tensor");
  EXPECT_EQ(Ask(request).all_extension_numbers_response().base_type_name(), "sluice.v1.Tensor");
}

TEST_F(Reflection, WhatIsNotThereIsSaidAndTheStreamGoesOn) {
  reflection::ServerReflectionRequest request;
  EXPECT_EQ(Ask(request).error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.set_file_by_filename("no.proto");
  EXPECT_EQ(Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_file_containing_symbol("..");
  EXPECT_EQ(Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_all_extension_numbers_of_type("no.Type");
  EXPECT_EQ(Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request.mutable_file_containing_extension()->set_containing_type("sluice.v1.Tensor");
  request.mutable_file_containing_extension()->set_extension_number(-1);
  EXPECT_EQ(Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  stream_->WritesDone();
  EXPECT_TRUE(stream_->Finish().ok());
}

}  // namespace
}  // namespace sluiced::testing
