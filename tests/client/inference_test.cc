#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "client/src/tensor.h"
#include "sluice/v1/inference.grpc.pb.h"
#include "tests/client/fake_server.h"

namespace sluice {
namespace {

constexpr char kVersion[] = "models/wow/versions/3";

// Scores a row as its first value, maps it to itself, samples counting rows.
class FakeInference final : public v1::InferenceService::Service {
 public:
  int unary_calls = 0;
  size_t largest_request = 0;
  int64_t fail_after = -1;  // Requests of a stream.
  bool swallow = false;     // Reads and never replies.
  int64_t lost_rows = 0;    // Missing from each reply.
  int64_t sample_columns = 2;
  std::string model;

  grpc::Status LogProb(grpc::ServerContext*, const v1::LogProbRequest* request,
                       v1::LogProbResponse* reply) override {
    ++unary_calls;
    Score(*request, reply);
    return grpc::Status::OK;
  }

  grpc::Status StreamLogProb(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::LogProbResponse, v1::LogProbRequest>* stream) override {
    v1::LogProbRequest request;
    v1::LogProbResponse reply;
    for (int64_t count = 0; stream->Read(&request); ++count) {
      if (swallow) continue;
      if (count == fail_after) return {grpc::RESOURCE_EXHAUSTED, "enough"};
      Score(request, &reply);
      stream->Write(reply);
    }
    while (swallow && !context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::OK;
  }

  grpc::Status StreamTransform(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::TransformResponse, v1::TransformRequest>* stream) override {
    v1::TransformRequest request;
    while (stream->Read(&request)) {
      largest_request = std::max(largest_request, request.ByteSizeLong());
      v1::TransformResponse reply;
      *reply.mutable_points() = request.points();
      EncodeVector(request.points(), reply.mutable_ladj());
      for (int i = 0; request.with_layers() && i < 8; ++i) *reply.add_layers() = request.points();
      stream->Write(reply);
    }
    return grpc::Status::OK;
  }

  grpc::Status Sample(grpc::ServerContext*, const v1::SampleRequest* request,
                      v1::SampleResponse* reply) override {
    ++unary_calls;
    Draw(request->first_row(), request->rows(), *request, reply);
    return grpc::Status::OK;
  }

  grpc::Status StreamSample(grpc::ServerContext*, const v1::SampleRequest* request,
                            grpc::ServerWriter<v1::SampleResponse>* stream) override {
    constexpr int64_t kStep = 100000;
    bool heard = true;
    for (int64_t done = 0; heard && done < request->rows(); done += kStep) {
      v1::SampleResponse reply;
      Draw(request->first_row() + done, std::min(kStep, request->rows() - done), *request, &reply);
      heard = stream->Write(reply);
    }
    return grpc::Status::OK;
  }

 private:
  static void EncodeVector(const v1::Tensor& rows, v1::Tensor* vector) {
    Matrix matrix;
    if (!AppendRows(rows, &matrix).ok()) return;
    Matrix column{matrix.rows, 1, {}, DType::kFloat64};
    for (int64_t row = 0; row < matrix.rows; ++row) column.values.push_back(matrix(row, 0));
    EncodeRows(column, 0, column.rows, vector);
    vector->mutable_shape()->RemoveLast();
  }

  void Score(const v1::LogProbRequest& request, v1::LogProbResponse* reply) {
    if (!request.model().empty()) model = request.model();
    largest_request = std::max(largest_request, request.ByteSizeLong());
    EncodeVector(request.x(), reply->mutable_log_prob());
    if (lost_rows > 0) {
      v1::Tensor* vector = reply->mutable_log_prob();
      vector->set_shape(0, vector->shape(0) - lost_rows);
      vector->mutable_data()->resize(static_cast<size_t>(vector->shape(0)) * sizeof(double));
    }
    reply->set_version(kVersion);
    reply->set_not_finite(std::string(1, '\1') + std::string(3, '\0'));
  }

  void Draw(int64_t first, int64_t count, const v1::SampleRequest& request,
            v1::SampleResponse* reply) const {
    Matrix rows{count, sample_columns, {}, DType::kFloat32};
    rows.values.resize(static_cast<size_t>(count * sample_columns));
    for (int64_t row = 0; row < count; ++row) {
      rows.values[static_cast<size_t>(row * sample_columns)] = static_cast<double>(first + row);
    }
    EncodeRows(rows, 0, count, reply->mutable_x());
    if (request.with_log_prob()) EncodeVector(reply->x(), reply->mutable_log_prob());
    reply->set_version(kVersion);
    reply->set_seed(request.has_seed() ? request.seed() : 77);
  }
};

struct Inference : ::testing::Test {
  FakeInference service;
  FakeServer server{{&service}};
  std::unique_ptr<Client> client = server.Connect();
};

TEST_F(Inference, AFewRowsTakeOneCall) {
  const Result<LogProbs> scores = client->LogProb("wow@best", CountingRows(10, 2));
  ASSERT_TRUE(scores.ok()) << scores.status().ToString();
  EXPECT_EQ(scores->log_prob.size(), 10u);
  EXPECT_EQ(scores->log_prob[9], 9);
  EXPECT_EQ(scores->version, kVersion);
  EXPECT_EQ(scores->not_finite, 1);
  EXPECT_EQ(service.unary_calls, 1);
  EXPECT_EQ(service.model, "models/wow/versions/best");
}

TEST_F(Inference, TenMillionValuesStreamInOrder) {
  const Matrix x = CountingRows(5000000, 2);
  const Result<LogProbs> scores = client->LogProb("wow", x);
  ASSERT_TRUE(scores.ok()) << scores.status().ToString();
  EXPECT_EQ(service.unary_calls, 0);
  EXPECT_LE(service.largest_request, (1u << 20) + 100);
  ASSERT_EQ(scores->log_prob.size(), 5000000u);
  for (int64_t row = 0; row < x.rows; ++row) {
    ASSERT_EQ(scores->log_prob[static_cast<size_t>(row)], x(row, 0));
  }
}

TEST_F(Inference, ImagesAfterEveryLayerStreamWithoutALimit) {
  const Matrix x = CountingRows(1000, 2000);
  const Result<Images> images = client->Transform("wow", Direction::kToBase, x, true);
  ASSERT_TRUE(images.ok()) << images.status().ToString();
  EXPECT_EQ(images->points.values, x.values);
  ASSERT_EQ(images->layers.size(), 8u);
  EXPECT_EQ(images->layers[7].values, x.values);
  EXPECT_EQ(images->ladj.size(), 1000u);
}

TEST_F(Inference, RowsWiderThanAChunkGoOneByOne) {
  const Matrix x = CountingRows(3, 300000);
  const Result<Images> images = client->Transform("wow", Direction::kFromBase, x, false);
  ASSERT_TRUE(images.ok()) << images.status().ToString();
  EXPECT_EQ(images->points.values, x.values);
}

TEST_F(Inference, AnErrorInMidStreamIsTheResult) {
  service.fail_after = 3;
  const Status status = client->LogProb("wow", CountingRows(1000000, 2)).status();
  EXPECT_EQ(status.code, Code::kResourceExhausted);
  EXPECT_EQ(status.message, "enough");
}

TEST_F(Inference, AServerThatNeverAnswersMeetsTheDeadline) {
  service.swallow = true;
  ClientOptions options;
  options.timeout = std::chrono::milliseconds(200);
  const Status status = server.Connect(options)->LogProb("wow", CountingRows(200000, 2)).status();
  EXPECT_EQ(status.code, Code::kDeadlineExceeded) << status.ToString();
}

TEST_F(Inference, MissingRowsAreAnError) {
  service.lost_rows = 1;
  EXPECT_EQ(client->LogProb("wow", CountingRows(10, 2)).status().code, Code::kInternal);
  EXPECT_EQ(client->LogProb("wow", CountingRows(200000, 2)).status().code, Code::kInternal);
}

TEST_F(Inference, SamplesOfAnyNumberCarryTheirSeed) {
  Client::SampleOptions options;
  options.with_log_prob = true;
  options.first_row = 5;
  for (const int64_t rows : {int64_t{1000}, int64_t{450000}}) {
    const Result<Samples> samples = client->Sample("wow", rows, options);
    ASSERT_TRUE(samples.ok()) << samples.status().ToString();
    ASSERT_EQ(samples->x.rows, rows);
    EXPECT_EQ(samples->x(rows - 1, 0), static_cast<double>(rows + 4));
    EXPECT_EQ(samples->log_prob.back(), static_cast<double>(rows + 4));
    EXPECT_EQ(samples->seed, 77u);
  }
  EXPECT_EQ(service.unary_calls, 1);
}

TEST_F(Inference, StreamedSamplesAreTheSameRowsInOrder) {
  Client::SampleOptions options;
  options.with_log_prob = true;
  for (const int64_t rows : {int64_t{0}, int64_t{1000}, int64_t{450000}}) {
    int64_t next = 0, chunks = 0;
    const Status status = client->StreamSample("wow", rows, options, [&](const Samples& chunk) {
      ++chunks;
      EXPECT_EQ(chunk.seed, 77u);
      EXPECT_EQ(chunk.version, kVersion);
      EXPECT_EQ(chunk.log_prob.size(), static_cast<size_t>(chunk.x.rows));
      for (int64_t row = 0; row < chunk.x.rows; ++row) EXPECT_EQ(chunk.x(row, 0), next++);
      return Status();
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(next, rows);
    EXPECT_EQ(chunks, rows > 1000 ? 5 : 1);
  }
}

TEST_F(Inference, WhoTakesSamplesMayRefuseThem) {
  int64_t chunks = 0;
  const Status status = client->StreamSample("wow", 1'000'000'000'000, {}, [&](const Samples&) {
    Status full;
    if (++chunks == 3) {
      full.code = Code::kResourceExhausted;
      full.message = "the disk is full";
    }
    return full;
  });
  EXPECT_EQ(status.code, Code::kResourceExhausted);
  EXPECT_EQ(status.message, "the disk is full");
  EXPECT_EQ(chunks, 3);
}

TEST_F(Inference, ASlowTakerIsNoStalledServer) {
  ClientOptions options;
  options.timeout = std::chrono::milliseconds(150);
  bool first = true;
  const Status status =
      server.Connect(options)->StreamSample("wow", 450000, {}, [&](const Samples&) {
        const auto start = std::chrono::steady_clock::now();
        while (first && std::chrono::steady_clock::now() - start < 2 * options.timeout) {
          std::this_thread::yield();
        }
        first = false;
        return Status();
      });
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(Inference, MessagesFarAboveGrpcsLimitArrive) {
  service.sample_columns = 10240;
  const Result<Samples> samples = client->Sample("wow", 1024, {});
  ASSERT_TRUE(samples.ok()) << samples.status().ToString();
  EXPECT_EQ(samples->x.values.size(), 1024u * 10240u);
}

}  // namespace
}  // namespace sluice
