// Files and rows on their way in and out: whole, broken, too large, abandoned.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;

v1::UploadDatasetRequest Header(const std::string& id, v1::FileFormat format) {
  v1::UploadDatasetRequest part;
  part.mutable_header()->set_dataset_id(id);
  part.mutable_header()->set_format(format);
  return part;
}
v1::UploadDatasetRequest Chunk(const std::string& bytes) {
  v1::UploadDatasetRequest part;
  part.set_chunk(bytes);
  return part;
}
v1::UploadDatasetRequest Rows(const v1::Tensor& rows) {
  v1::UploadDatasetRequest part;
  *part.mutable_rows() = rows;
  return part;
}

class Uploads : public ::testing::Test {
 protected:
  static Config SmallLimits() {
    Config config;
    config.limits.upload_bytes = 100'000;
    config.limits.import_bytes = 100'000;
    return config;
  }

  Seen Upload(const std::vector<v1::UploadDatasetRequest>& parts) {
    grpc::ClientContext context;
    const auto writer = server_.datasets->UploadDataset(&context, &dataset_);
    for (const auto& part : parts) {
      if (!writer->Write(part)) break;
    }
    writer->WritesDone();
    return SeenBy(writer->Finish());
  }
  Seen Import(const std::string& id, const std::string& file) {
    grpc::ClientContext context;
    v1::Model model;
    const auto writer = server_.models->ImportModel(&context, &model);
    v1::ImportModelRequest part;
    part.mutable_header()->set_model_id(id);
    writer->Write(part);
    for (size_t at = 0; at < file.size(); at += 1000) {
      part.set_chunk(file.substr(at, 1000));
      if (!writer->Write(part)) break;
    }
    writer->WritesDone();
    return SeenBy(writer->Finish());
  }
  std::string Export(const std::string& name) {
    v1::ExportVersionRequest request;
    request.set_name(name);
    grpc::ClientContext context;
    const auto reader = server_.models->ExportVersion(&context, request);
    std::string file;
    v1::FileChunk chunk;
    while (reader->Read(&chunk)) file += chunk.data();
    EXPECT_TRUE(reader->Finish().ok());
    return file;
  }
  int CountDatasets() {
    grpc::ClientContext context;
    v1::ListDatasetsResponse list;
    EXPECT_TRUE(server_.datasets->ListDatasets(&context, {}, &list).ok());
    return list.datasets_size();
  }
  int CountModels() {
    grpc::ClientContext context;
    v1::ListModelsResponse list;
    EXPECT_TRUE(server_.models->ListModels(&context, {}, &list).ok());
    return list.models_size();
  }

  TestServer server_{SmallLimits()};
  v1::Dataset dataset_;
};

TEST_F(Uploads, ACsvIsStoredWholeWhereverItIsCut) {
  const std::string csv = "x,y\n1,2\n3,4.5\n";
  int id = 0;
  for (size_t cut = 0; cut <= csv.size(); ++cut) {
    const Seen seen =
        Upload({Header(std::string("d").append(std::to_string(id++)), v1::FILE_FORMAT_CSV),
                Chunk(csv.substr(0, cut)), Chunk(csv.substr(cut))});
    ASSERT_EQ(seen.code, StatusCode::OK) << cut << ": " << seen;
    EXPECT_EQ(dataset_.rows(), 2);
    EXPECT_EQ(dataset_.columns(), 2);
    EXPECT_EQ(dataset_.column_names(1), "y");
    EXPECT_EQ(dataset_.mean(0), 2);
  }
}

TEST_F(Uploads, RowsComeBackAsTheyWere) {
  const v1::Tensor rows = SmallNumbers(300, 5);
  ASSERT_EQ(Upload({Header("rows", v1::FILE_FORMAT_ROWS), Rows(rows), Rows(rows)}).code,
            StatusCode::OK);
  v1::DownloadDatasetRequest request;
  request.set_name("datasets/rows");
  grpc::ClientContext context;
  const auto reader = server_.datasets->DownloadDataset(&context, request);
  std::string data;
  v1::RowChunk chunk;
  while (reader->Read(&chunk)) data += chunk.rows().data();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(data, rows.data() + rows.data());
}

TEST_F(Uploads, BrokenOnesAreRefusedAndLeaveNothing) {
  v1::Tensor nan = SmallNumbers(1, 2);
  nan.clear_data();
  nan.add_values(1);
  nan.add_values(NAN);
  const auto csv = Header("d", v1::FILE_FORMAT_CSV);
  const auto npy = Header("d", v1::FILE_FORMAT_NPY);
  const auto rows = Header("d", v1::FILE_FORMAT_ROWS);
  const std::pair<const char*, std::vector<v1::UploadDatasetRequest>> table[] = {
      {"nothing", {}},
      {"no header", {Chunk("1,2\n")}},
      {"two headers", {csv, csv}},
      {"empty", {csv}},
      {"text in a csv", {csv, Chunk("1,2\n3,four\n")}},
      {"ragged csv", {csv, Chunk("1,2\n3\n")}},
      {"not finite in a csv", {csv, Chunk("1,2\nnan,4\n")}},
      {"no npy", {npy, Chunk("hello")}},
      {"truncated npy", {npy, Chunk(std::string("\x93NUMPY\x01\x00\xff\xff", 10))}},
      {"rows in a csv", {csv, Rows(SmallNumbers(1, 2))}},
      {"a chunk among rows", {rows, Chunk("1")}},
      {"no rows", {rows, Rows(SmallNumbers(0, 2))}},
      {"columns that change", {rows, Rows(SmallNumbers(1, 2)), Rows(SmallNumbers(1, 3))}},
      {"rows not finite", {rows, Rows(nan)}},
      {"hostile id", {Header("../../etc/passwd", v1::FILE_FORMAT_CSV), Chunk("1\n")}},
      {"no format", {Header("d", v1::FILE_FORMAT_UNSPECIFIED), Chunk("1\n")}}};
  for (const auto& [name, parts] : table) {
    const Seen seen = Upload(parts);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << name << ": " << seen;
    EXPECT_FALSE(seen.message.empty()) << name;
  }
  EXPECT_EQ(CountDatasets(), 0);
  EXPECT_EQ(Upload({csv, Chunk("1,2\n3,4\n")}).code, StatusCode::OK) << "serves on";
}

TEST_F(Uploads, TextInACsvIsNamedByItsLine) {
  const Seen seen = Upload({Header("d", v1::FILE_FORMAT_CSV), Chunk("1,2\n3,four\n")});
  EXPECT_THAT(seen.message, HasSubstr("line 2"));
}

TEST_F(Uploads, TooLargeOnesAreResourceExhausted) {
  const std::string line = "1,2\n";
  std::string chunk;
  while (chunk.size() < 30'000) chunk += line;
  const Seen csv = Upload(
      {Header("d", v1::FILE_FORMAT_CSV), Chunk(chunk), Chunk(chunk), Chunk(chunk), Chunk(chunk)});
  EXPECT_EQ(csv.code, StatusCode::RESOURCE_EXHAUSTED) << csv;
  EXPECT_TRUE(csv.retry_seconds.has_value());
  const Seen model = Import("m", std::string(200'000, 'x'));
  EXPECT_EQ(model.code, StatusCode::RESOURCE_EXHAUSTED) << model;
  EXPECT_EQ(CountDatasets(), 0);
  EXPECT_EQ(CountModels(), 0);
}

TEST(UploadsTogether, HoldNoMoreThanTheServerCanBear) {
  Config config;
  config.limits.in_flight_bytes = 100'000;
  TestServer server(config);
  const auto upload = [&](const std::string& id, int parts) {
    grpc::ClientContext context;
    v1::Dataset dataset;
    const auto writer = server.datasets->UploadDataset(&context, &dataset);
    writer->Write(Header(id, v1::FILE_FORMAT_ROWS));
    for (int i = 0; i < parts; ++i) {
      if (!writer->Write(Rows(SmallNumbers(5000, 2)))) break;
    }
    writer->WritesDone();
    return SeenBy(writer->Finish());
  };
  for (const char* id : {"one", "two", "three"}) {  // What one held is free for the next.
    const Seen refused = upload("large", 3);
    EXPECT_EQ(refused.code, StatusCode::RESOURCE_EXHAUSTED) << refused;
    EXPECT_GT(refused.retry_seconds.value_or(0), 0);
    EXPECT_EQ(upload(id, 2).code, StatusCode::OK);
  }
}

TEST_F(Uploads, ATakenNameIsSaidBeforeTheFileIsSent) {
  ASSERT_EQ(Upload({Header("d", v1::FILE_FORMAT_CSV), Chunk("1,2\n3,4\n")}).code, StatusCode::OK);
  grpc::ClientContext context;
  const auto writer = server_.datasets->UploadDataset(&context, &dataset_);
  writer->Write(Header("d", v1::FILE_FORMAT_CSV));
  EXPECT_EQ(SeenBy(writer->Finish()).resource, "datasets/d");
}

// What came so far of each would make a dataset: only the client's half-close makes
// it one.
TEST_F(Uploads, AbandonedOnesAreNeverStored) {
  for (int i = 0; i < 100; ++i) {
    const auto stub = v1::DatasetService::NewStub(server_.Connect());
    grpc::ClientContext context;
    v1::Dataset dataset;
    const auto writer = stub->UploadDataset(&context, &dataset);
    writer->Write(Header(std::string("d").append(std::to_string(i)), v1::FILE_FORMAT_CSV));
    for (int part = 0; part < i % 5; ++part) writer->Write(Chunk("1,2\n3,4\n"));
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), StatusCode::CANCELLED);
  }
  // Behind whatever the abandoned ones left to do.
  ASSERT_EQ(Upload({Header("last", v1::FILE_FORMAT_CSV), Chunk("1,2\n3,4\n")}).code,
            StatusCode::OK);
  EXPECT_EQ(CountDatasets(), 1);
}

TEST_F(Uploads, AModelIsTheSameAfterExportAndImport) {
  MakeModel(server_, "wow", 2);
  const std::string file = Export("models/wow");
  ASSERT_EQ(Import("copy", file).code, StatusCode::OK);
  EXPECT_EQ(Export("models/copy/versions/0"), file);
  EXPECT_EQ(Import("copy", file).code, StatusCode::ALREADY_EXISTS);
}

TEST_F(Uploads, CorruptModelFilesAreRefusedAndLeaveNothing) {
  MakeModel(server_, "wow", 2);
  const std::string file = Export("models/wow");
  std::vector<std::string> corrupt = {"",
                                      "x",
                                      std::string(1000, '\xff'),
                                      file + "x",
                                      file.substr(0, file.size() - 1),
                                      file.substr(0, 100),
                                      file.substr(8)};
  for (const size_t at : {size_t{0}, size_t{7}, size_t{8}, size_t{20}, size_t{60}}) {
    corrupt.push_back(file);
    corrupt.back()[at] = static_cast<char>(corrupt.back()[at] ^ 0x41);
  }
  for (const std::string& bytes : corrupt) {
    const Seen seen = Import("corrupt", bytes);
    EXPECT_EQ(seen.code, StatusCode::INVALID_ARGUMENT) << seen;
    EXPECT_FALSE(seen.message.empty());
  }
  EXPECT_EQ(CountModels(), 1);
  EXPECT_EQ(Import("sound", file).code, StatusCode::OK) << "serves on";
}

}  // namespace
}  // namespace sluiced::testing
