#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

#include "client/src/tensor.h"
#include "sluice/v1/dataset.grpc.pb.h"
#include "sluice/v1/model.grpc.pb.h"
#include "tests/client/fake_server.h"

namespace sluice {
namespace {

class FakeDatasets final : public v1::DatasetService::Service {
 public:
  v1::UploadDatasetRequest::Header header;
  std::string file;
  Matrix rows;
  size_t largest_chunk = 0;
  int uploads_ended = 0;  // By the client's half-close.
  bool taken = false;

  grpc::Status UploadDataset(grpc::ServerContext* context,
                             grpc::ServerReader<v1::UploadDatasetRequest>* stream,
                             v1::Dataset* reply) override {
    v1::UploadDatasetRequest part;
    while (stream->Read(&part)) {
      if (taken) return {grpc::ALREADY_EXISTS, "taken"};
      if (part.has_header()) header = part.header();
      if (part.has_rows() && !AppendRows(part.rows(), &rows).ok()) return {grpc::INTERNAL, "bad"};
      largest_chunk = std::max(largest_chunk, part.ByteSizeLong());
      file += part.chunk();
    }
    if (!context->IsCancelled()) ++uploads_ended;
    reply->set_name("datasets/" + header.dataset_id());
    reply->set_rows(rows.rows);
    return grpc::Status::OK;
  }

  grpc::Status DownloadDataset(grpc::ServerContext*, const v1::DownloadDatasetRequest*,
                               grpc::ServerWriter<v1::RowChunk>* stream) override {
    v1::RowChunk chunk;
    for (int64_t row = 0; row < rows.rows; row += 1000) {
      EncodeRows(rows, row, std::min<int64_t>(1000, rows.rows - row), chunk.mutable_rows());
      stream->Write(chunk);
    }
    return grpc::Status::OK;
  }
};

class FakeFiles final : public v1::ModelService::Service {
 public:
  std::string file;

  grpc::Status ImportModel(grpc::ServerContext*, grpc::ServerReader<v1::ImportModelRequest>* stream,
                           v1::Model* reply) override {
    v1::ImportModelRequest part;
    while (stream->Read(&part)) {
      if (part.has_header()) reply->set_name("models/" + part.header().model_id());
      file += part.chunk();
    }
    return grpc::Status::OK;
  }

  grpc::Status ExportVersion(grpc::ServerContext*, const v1::ExportVersionRequest*,
                             grpc::ServerWriter<v1::FileChunk>* stream) override {
    v1::FileChunk chunk;
    for (size_t at = 0; at < file.size(); at += 100000) {
      chunk.set_data(file.substr(at, 100000));
      stream->Write(chunk);
    }
    return grpc::Status::OK;
  }
};

struct Uploads : ::testing::Test {
  FakeDatasets datasets;
  FakeFiles models;
  FakeServer server{{&datasets, &models}};
  std::unique_ptr<Client> client = server.Connect();

  Result<Dataset> UploadFile(std::istream& file) {
    return client->UploadFile("mine", file, Client::FileFormat::kNpy, "upload mine.npy", "");
  }
};

std::string Pattern(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 / 7);
  return text;
}

TEST_F(Uploads, FilesOfAnySizeArriveWhole) {
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{1} << 20, (size_t{5} << 20) + 17}) {
    datasets.file.clear();
    std::istringstream file(Pattern(bytes));
    const Result<Dataset> dataset = UploadFile(file);
    ASSERT_TRUE(dataset.ok()) << dataset.status().ToString();
    EXPECT_EQ(dataset->id, "mine");
    EXPECT_TRUE(datasets.file == Pattern(bytes)) << bytes;
    EXPECT_LE(datasets.largest_chunk, (size_t{1} << 20) + 100);
  }
  EXPECT_EQ(datasets.header.source(), "upload mine.npy");
  EXPECT_EQ(datasets.header.format(), v1::FILE_FORMAT_NPY);
}

TEST_F(Uploads, RowsGoUpAndComeDown) {
  const Matrix rows = CountingRows(300000, 3);
  const Result<Dataset> dataset = client->UploadRows("mine", rows, "", "");
  ASSERT_TRUE(dataset.ok()) << dataset.status().ToString();
  EXPECT_EQ(dataset->rows, 300000);
  const Result<Matrix> back = client->DownloadDataset("mine");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->values, rows.values);
}

TEST_F(Uploads, ARefusalInMidUploadIsTheResult) {
  datasets.taken = true;
  std::istringstream file(Pattern(size_t{20} << 20));
  EXPECT_EQ(UploadFile(file).status().code, Code::kAlreadyExists);
}

// Ends with an error, not with the end of the file.
class BrokenFile final : public std::streambuf {
  std::streamsize xsgetn(char*, std::streamsize) override { throw std::runtime_error("disk"); }
};

TEST_F(Uploads, AFileThatBreaksIsNeverFinished) {
  BrokenFile buffer;
  std::istream file(&buffer);
  EXPECT_EQ(UploadFile(file).status().code, Code::kInvalidArgument);
  server.Stop();  // Waits for the handler.
  EXPECT_EQ(datasets.uploads_ended, 0);
}

// Takes its time, as a person at a terminal does.
class SlowFile final : public std::streambuf {
 public:
  explicit SlowFile(std::chrono::milliseconds time) : time_(time) {}

 private:
  std::streamsize xsgetn(char* out, std::streamsize) override {
    if (done_) return 0;
    const auto end = std::chrono::steady_clock::now() + time_;
    while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
    done_ = true;
    *out = 'x';
    return 1;
  }
  const std::chrono::milliseconds time_;
  bool done_ = false;
};

TEST_F(Uploads, ASlowSourceIsNoStall) {
  ClientOptions options;
  options.timeout = std::chrono::milliseconds(500);
  client = server.Connect(options);
  SlowFile buffer(options.timeout * 2);
  std::istream file(&buffer);
  const Result<Dataset> dataset = UploadFile(file);
  EXPECT_TRUE(dataset.ok()) << dataset.status().ToString();
  EXPECT_EQ(datasets.file, "x");
}

TEST_F(Uploads, ModelFilesGoUpAndComeDown) {
  const std::string file = Pattern((size_t{3} << 20) + 5);
  const Result<Model> model = client->ImportModel("seed", file, "");
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ(model->id, "seed");
  const Result<std::string> back = client->ExportModel("seed");
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(*back == file);
}

}  // namespace
}  // namespace sluice
