// Callers who open streams and then neither read nor write: they cost the server next to
// nothing, and the others do not notice.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/v1/dataset.grpc.pb.h"
#include "sluice/v1/inference.grpc.pb.h"
#include "tests/support/fixtures.h"
#include "tests/support/server_process.h"

namespace sluice::testing {
namespace {

constexpr int kStreams = 64;
// One chunk of a MiB drawn, one encoded, one in gRPC; and what allocators keep.
constexpr int64_t kBytesEach = int64_t{6} << 20;

class StalledStreams : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& flags) {
    ASSERT_TRUE(server_.Start({.data_dir = dir_.path(), .flags = flags})) << server_.Log();
    client_ = server_.Connect({.timeout = std::chrono::seconds(20)});
    ASSERT_SLUICE_OK(MakeModelAndDataset(*client_, "m", 2000));
    ASSERT_NO_FATAL_FAILURE(AskForEverything());
    before_ = server_.ResidentBytes();
  }
  ~StalledStreams() override {
    for (const auto& context : contexts_) context->TryCancel();
  }

  // A connection of its own each, as of callers on many machines.
  std::shared_ptr<grpc::Channel> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    return grpc::CreateCustomChannel(server_.address(), grpc::InsecureChannelCredentials(),
                                     arguments);
  }
  grpc::ClientContext* NewContext() {
    return contexts_.emplace_back(std::make_unique<grpc::ClientContext>()).get();
  }

  void AskForEverything() {
    ASSERT_SLUICE_OK(client_->LogProb("m", CountingRows(1000, 3, 0)).status());
    ASSERT_SLUICE_OK(client_->Sample("m", 10000, {}).status());
    ASSERT_SLUICE_OK(client_->UploadRows("d", CountingRows(1000, 3, 0), "", "").status());
    ASSERT_SLUICE_OK(client_->DownloadDataset("d").status());
    ASSERT_SLUICE_OK(client_->DeleteDataset("d"));
  }

  using Reader = std::unique_ptr<grpc::ClientReader<v1::SampleResponse>>;

  // Streams of 12 TB that are not read from.
  std::vector<Reader> OpenSamples() {
    v1::SampleRequest request;
    request.set_model("models/m");
    request.set_rows(int64_t{1} << 40);
    std::vector<Reader> streams;
    for (int i = 0; i < kStreams; ++i) {
      stubs_.push_back(v1::InferenceService::NewStub(Connect()));
      streams.push_back(stubs_.back()->StreamSample(NewContext(), request));
      streams.back()->WaitForInitialMetadata();
    }
    return streams;
  }

  // 0 under a sanitizer, which keeps freed memory back.
  int64_t Grown() const {
#ifdef __SANITIZE_ADDRESS__
    return 0;
#else
    return server_.ResidentBytes() - before_;
#endif
  }

  void ExpectServedAndBounded() {
    for (int i = 0; i < 20; ++i) ASSERT_NO_FATAL_FAILURE(AskForEverything());
    EXPECT_LT(Grown(), kStreams * kBytesEach);
  }

  TempDir dir_;
  ServerProcess server_;
  std::unique_ptr<Client> client_;
  int64_t before_ = 0;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts_;
  std::vector<std::unique_ptr<v1::InferenceService::Stub>> stubs_;
};

TEST_F(StalledStreams, ThatAreNotReadFromWait) {
  ASSERT_NO_FATAL_FAILURE(Start({"--threads=2"}));
  const std::vector<Reader> streams = OpenSamples();
  ASSERT_NO_FATAL_FAILURE(ExpectServedAndBounded());
  v1::SampleResponse reply;
  EXPECT_TRUE(streams.front()->Read(&reply)) << "it goes on where it is read from";
}

TEST_F(StalledStreams, TogetherHoldNoMoreThanTheLimit) {
  ASSERT_NO_FATAL_FAILURE(Start({"--threads=2", "--max-in-flight-bytes=32mb"}));
  const std::vector<Reader> streams = OpenSamples();
  EXPECT_LT(Grown(), int64_t{64} << 20);
  int refused = 0;
  for (size_t i = 0; i < streams.size(); ++i) {
    v1::SampleResponse reply;
    int left = 30;  // More than lay between the server and a stream that it ended.
    while (left > 0 && streams[i]->Read(&reply)) --left;
    if (left == 0) contexts_[i]->TryCancel();
    const grpc::Status status = streams[i]->Finish();
    refused += status.error_code() == grpc::RESOURCE_EXHAUSTED;
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, kStreams);
  ASSERT_NO_FATAL_FAILURE(AskForEverything());
}

TEST_F(StalledStreams, ThatAreNotWrittenToHoldNoThread) {
  ASSERT_NO_FATAL_FAILURE(Start({"--threads=2"}));
  std::vector<std::unique_ptr<v1::DatasetService::Stub>> stubs;
  std::vector<std::unique_ptr<grpc::ClientWriter<v1::UploadDatasetRequest>>> uploads;
  std::vector<v1::Dataset> replies(kStreams);
  v1::UploadDatasetRequest header, chunk;
  header.mutable_header()->set_format(v1::FILE_FORMAT_CSV);
  chunk.set_chunk("1,2\n3");
  for (size_t i = 0; i < kStreams; ++i) {
    header.mutable_header()->set_dataset_id(std::string("slow-").append(std::to_string(i)));
    stubs.push_back(v1::DatasetService::NewStub(Connect()));
    uploads.push_back(stubs.back()->UploadDataset(NewContext(), &replies[i]));
    ASSERT_TRUE(uploads.back()->Write(header));
    ASSERT_TRUE(uploads.back()->Write(chunk));
  }
  ASSERT_NO_FATAL_FAILURE(ExpectServedAndBounded());
  chunk.set_chunk(",4\n");
  ASSERT_TRUE(uploads.front()->Write(chunk));
  ASSERT_TRUE(uploads.front()->WritesDone());
  EXPECT_TRUE(uploads.front()->Finish().ok()) << "it goes on where it is written to";
  EXPECT_EQ(replies.front().rows(), 2);
}

}  // namespace
}  // namespace sluice::testing
