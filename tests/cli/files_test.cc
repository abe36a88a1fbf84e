#include "client/cli/files/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "client/cli/files/csv.h"
#include "client/cli/files/npy.h"
#include "client/cli/files/output_file.h"
#include "client/cli/files/table_file.h"
#include "client/cli/files/table_writer.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kInf = std::numeric_limits<double>::infinity();

Matrix Numbers(int64_t rows, int64_t cols, DType dtype) {
  Matrix matrix{rows, cols, {}, dtype};
  std::mt19937_64 random(7);
  for (int64_t i = 0; i < rows * cols; ++i) {
    const double value = std::ldexp(static_cast<double>(random() >> 11) - 4e15, -50);
    matrix.values.push_back(dtype == DType::kFloat32 ? static_cast<float>(value) : value);
  }
  return matrix;
}

// An .npy file of version 1 with this dictionary.
std::string Npy(const std::string& dict, const std::string& data) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dict.size());
  bytes += '\0';
  return bytes + dict + data;
}

class Formats : public testing::TestWithParam<std::tuple<TableFormat, DType, int, int>> {};

TEST_P(Formats, ReadBackWhatTheyWrote) {
  const auto [format, dtype, rows, cols] = GetParam();
  const Matrix written = Numbers(rows, cols, dtype);
  const Result<Matrix> read =
      format == TableFormat::kNpy
          ? DecodeNpy(EncodeNpy({written.rows, written.cols}, written.values, dtype))
          : DecodeCsv(EncodeCsv(written, ColumnNames("x", cols)));
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->rows, rows);
  EXPECT_EQ(read->cols, cols);
  for (size_t i = 0; i < written.values.size(); ++i) {
    // A float32 in CSV is the shortest text that reads back to the same float32.
    const double got =
        dtype == DType::kFloat32 ? static_cast<float>(read->values[i]) : read->values[i];
    EXPECT_EQ(got, written.values[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Formats,
                         testing::Combine(testing::Values(TableFormat::kNpy, TableFormat::kCsv),
                                          testing::Values(DType::kFloat32, DType::kFloat64),
                                          testing::Values(1, 17), testing::Values(1, 3)));

TEST(Npy, ReadsWhatNumPyWrote) {
  const Result<Matrix> wow = ReadTable(SLUICE_TEST_DATA "/wow.npy", "");
  ASSERT_TRUE(wow.ok()) << wow.status().ToString();
  EXPECT_EQ(wow->rows, 5000);
  EXPECT_EQ(wow->cols, 2);
  EXPECT_EQ(wow->dtype, DType::kFloat32);
  // Stored column by column.
  const Result<Matrix> swiss = ReadTable(SLUICE_TEST_DATA "/swiss.npy", "");
  ASSERT_TRUE(swiss.ok()) << swiss.status().ToString();
  EXPECT_EQ(swiss->cols, 3);
}

TEST(Npy, UnderstandsOrdersAndTypes) {
  const std::string shape = "'shape': (2, 2), }";
  const auto values = [](const std::string& file) { return DecodeNpy(file)->values; };
  EXPECT_THAT(values(Npy("{'descr': '|i1', 'fortran_order': True, " + shape, "\x01\x02\x03\xff")),
              ElementsAre(1, 3, 2, -1));
  EXPECT_THAT(values(Npy("{'descr': '>u2', 'fortran_order': False, " + shape,
                         std::string("\0\1\0\2\0\3\1\0", 8))),
              ElementsAre(1, 2, 3, 256));
  EXPECT_EQ(DecodeNpy(Npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }",
                          std::string("\1\0\1", 3)))
                ->cols,
            1);
}

TEST(Npy, RefusesWhatIsNoTableOfNumbers) {
  const std::string order = "'fortran_order': False, ";
  const std::vector<std::string> hostile = {
      "",
      "x1,x2\n1,2\n",
      std::string("\x93NUMPY", 6),
      std::string("\x93NUMPY\x01\x00\xff\xff{", 11),
      Npy("", ""),
      Npy("{'descr': '<f4'}", ""),
      Npy("{'descr': '<f4', " + order + "'shape': (2, 2), }", "123"),
      Npy("{'descr': '<f4', " + order + "'shape': (4611686018427387904, 4), }", ""),
      Npy("{'descr': '<f4', " + order + "'shape': (-1, 4), }", ""),
      Npy("{'descr': '<f4', " + order + "'shape': (99999999999999999999, 4), }", ""),
      Npy("{'descr': '<f4', " + order + "'shape': (), }", "1234"),
      Npy("{'descr': '<f4', " + order + "'shape': (1, 1, 1), }", "1234"),
      Npy("{'descr': '<f4', " + order + "'shape': (1", "1234"),
      Npy("{'descr': '|O', " + order + "'shape': (1, 1), }", "1234"),
      Npy("{'descr': '<c8', " + order + "'shape': (1, 1), }", "12345678"),
      Npy("{'descr': '<f2', " + order + "'shape': (1, 1), }", "12"),
      Npy("{'descr':", ""),
  };
  for (const std::string& file : hostile) {
    const Result<Matrix> read = DecodeNpy(file);
    EXPECT_FALSE(read.ok()) << file;
    EXPECT_EQ(read.status().code, Code::kInvalidArgument);
  }
}

TEST(Npy, EveryPrefixOfAFileIsRefused) {
  const std::string whole = EncodeNpy({3, 2}, {1, 2, 3, 4, 5, 6}, DType::kFloat64);
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(DecodeNpy(std::string_view(whole).substr(0, length)).ok()) << length;
  }
}

TEST(Csv, ReadsTheUsualDialects) {
  for (const std::string text :
       {"1,2\n3,4\n", "a,b\n1,2\n3,4", "\xef\xbb\xbf\"a\";\"b\"\r\n1;2\r\n3;4\r\n", "1\t2\n3\t4\n",
        "  1   2\n 3 4 \n\n", "1.0,+2e0\n\n3,0.4e1\n"}) {
    const Result<Matrix> read = DecodeCsv(text);
    ASSERT_TRUE(read.ok()) << text << read.status().ToString();
    EXPECT_THAT(read->values, ElementsAre(1, 2, 3, 4)) << text;
    EXPECT_EQ(read->cols, 2);
  }
  EXPECT_THAT(DecodeCsv("-inf\n")->values, ElementsAre(-kInf));
}

TEST(Csv, ErrorsNameTheLine) {
  const auto error = [](const std::string& text) { return DecodeCsv(text).status().message; };
  EXPECT_THAT(error("x,y\n1,2\n3,cat\n"), HasSubstr("line 3: 'cat'"));
  EXPECT_THAT(error("1,2\n1,2,3\n"), HasSubstr("line 2: 3 cells"));
  EXPECT_THAT(error("1,2\n1,\n"), HasSubstr("line 2: ''"));
  EXPECT_THAT(error(""), HasSubstr("empty"));
  EXPECT_THAT(error("a,b\n"), HasSubstr("no row"));
}

class Directory : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("sluice-files-" + std::to_string(getpid()));
    std::filesystem::create_directory(path_);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  std::string File(const std::string& name) const { return path_ / name; }

  std::filesystem::path path_;
};

TEST_F(Directory, AWrittenFileReplacesTheOldOneAndLeavesNothingElse) {
  ASSERT_TRUE(WriteFile(File("a.csv"), "old").ok());
  ASSERT_TRUE(WriteFile(File("a.csv"), "new").ok());
  EXPECT_EQ(*ReadFile(File("a.csv")), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_), {}), 1);
}

TEST_F(Directory, WhatIsNotCommittedLeavesNothing) {
  ASSERT_TRUE(WriteFile(File("a.csv"), "old").ok());
  {
    const auto file = OutputFile::Create(File("a.csv"));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Write("half of the n").ok());
    EXPECT_TRUE((*file)->RoomLeft());
  }
  EXPECT_EQ(*ReadFile(File("a.csv")), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_), {}), 1);
}

TEST_F(Directory, WhatIsSyncedHasItsModeAndItsName) {
  const auto file = OutputFile::Create(File("a"), 0600);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write("all").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(*ReadFile(File("a")), "all");
  EXPECT_EQ(std::filesystem::status(File("a")).permissions(), std::filesystem::perms(0600));
  const auto device = OutputFile::Create("/dev/null");
  ASSERT_TRUE(device.ok());
  EXPECT_TRUE((*device)->Sync().ok());  // There is nothing to sync.
  EXPECT_TRUE((*device)->Commit().ok());
}

TEST_F(Directory, DevicesAreWrittenInPlace) {
  EXPECT_TRUE(WriteFile("/dev/null", "x").ok());
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(WriteFile("/dev/full", "x").code, Code::kResourceExhausted);
}

TEST_F(Directory, ATableComesInPieces) {
  for (const char* name : {"t.npy", "t.csv"}) {
    const auto table = TableWriter::Open(File(name), "");
    ASSERT_TRUE(table.ok());
    ASSERT_TRUE((*table)->Begin({5, 2, DType::kFloat64, {"x1", "x2"}}).ok());
    ASSERT_TRUE((*table)->Append({2, 2, {1, 2, 3, 4}, DType::kFloat64}).ok());
    ASSERT_TRUE((*table)->Append({0, 2, {}, DType::kFloat64}).ok());
    ASSERT_TRUE((*table)->Append({3, 2, {5, 6, 7, 8, 9, 10}, DType::kFloat64}).ok());
    EXPECT_FALSE(std::filesystem::exists(File(name))) << "complete or absent";
    ASSERT_TRUE((*table)->Close().ok());
    const Result<Matrix> read = ReadTable(File(name), "");
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_THAT(read->values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  }
}

TEST_F(Directory, ATableWithoutAllItsRowsIsAbsent) {
  {
    const auto table = TableWriter::Open(File("t.npy"), "");
    ASSERT_TRUE((*table)->Begin({5, 2, DType::kFloat64, {}}).ok());
    ASSERT_TRUE((*table)->Append({2, 2, {1, 2, 3, 4}, DType::kFloat64}).ok());
    EXPECT_EQ((*table)->Close().code, Code::kInternal);
  }
  EXPECT_TRUE(std::filesystem::is_empty(path_));
}

TEST_F(Directory, ATableTooLargeForTheDiskIsRefusedAtOnce) {
  for (const char* name : {"t.npy", "t.csv"}) {
    const auto table = TableWriter::Open(File(name), "");
    const Status status = (*table)->Begin({1'000'000'000'000'000'000, 2, DType::kFloat32, {}});
    EXPECT_EQ(status.code, Code::kResourceExhausted) << name;
    EXPECT_THAT(status.message, HasSubstr("1,000,000,000,000,000,000 rows of 2 numbers"));
  }
  const auto endless = TableWriter::Open(File("t.npy"), "");
  EXPECT_EQ((*endless)->Begin({INT64_MAX, 2, DType::kFloat64, {}}).code, Code::kOutOfRange);
  const auto pipe = TableWriter::Open("/dev/null", "csv");
  EXPECT_TRUE((*pipe)->Begin({INT64_MAX, 2, DType::kFloat64, {}}).ok()) << "who reads may stop";
}

TEST_F(Directory, ErrorsNameTheFile) {
  const Status write = WriteFile(File("missing/a.csv"), "x");
  EXPECT_THAT(write.message, HasSubstr(File("missing/a.csv") + ":"));
  EXPECT_EQ(ReadFile(File("none")).status().code, Code::kNotFound);
  EXPECT_FALSE(ReadFile(path_).ok());
}

TEST_F(Directory, TheBytesDecideWhereTheNameDoesNot) {
  const std::string npy = EncodeNpy({1, 2}, {1, 2}, DType::kFloat32);
  ASSERT_TRUE(WriteFile(File("npy.data"), npy).ok());
  ASSERT_TRUE(WriteFile(File("csv.data"), "1,2\n").ok());
  for (const char* name : {"npy.data", "csv.data"}) {
    EXPECT_THAT(ReadTable(File(name), "")->values, ElementsAre(1, 2));
  }
  EXPECT_FALSE(WriteTable(File("x.data"), "", Numbers(1, 1, DType::kFloat32), {}).ok());
  EXPECT_FALSE(ReadTable(File("csv.data"), "xls").ok());
}

TEST_F(Directory, AScoreColumnIsAVectorInNpy) {
  ASSERT_TRUE(WriteTable(File("s.npy"), "", Numbers(3, 1, DType::kFloat32), {"log_prob"}).ok());
  EXPECT_THAT(*ReadFile(File("s.npy")), HasSubstr("'shape': (3, )"));
}

}  // namespace
}  // namespace sluice::cli
