#include "server/data/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/data/sha256.h"
#include "server/store/sqlite_store.h"
#include "tests/store/store_contract.h"

namespace sluiced::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Tables : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = store::OpenSqliteStore(dir_.path());
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  store::TempDir dir_;
  std::unique_ptr<store::Store> store_;
};

Table CountingTable(DType dtype, int64_t rows, int64_t columns) {
  Array array(DType::kFloat64, {rows, columns});
  for (int64_t i = 0; i < array.size(); ++i) array.as<double>()[static_cast<size_t>(i)] = i / 7.0;
  return {array.To(dtype), {}, {}};
}

TEST_F(Tables, ComeBackAsTheyWereSavedInChunks) {
  for (const auto& [dtype, rows, columns] : {std::tuple(DType::kFloat32, 1, 1),
                                             {DType::kFloat64, 300'001, 3},
                                             {DType::kFloat32, 5, 60'000},
                                             {DType::kFloat64, 3, 65'536}}) {
    const std::string id = absl::StrCat("t-", columns);
    const Table table = CountingTable(dtype, rows, columns);
    const auto record = SaveTable(store_.get(), id, table, "upload", "");
    ASSERT_TRUE(record.ok()) << record.status();
    const auto rows_read = LoadRows(store_.get(), id);
    ASSERT_TRUE(rows_read.ok()) << rows_read.status();
    EXPECT_EQ(**rows_read, table.rows);
    const auto chunk = store_->GetDatasetChunk(id, 0);
    ASSERT_TRUE(chunk.ok());
    EXPECT_LE(chunk->size(), size_t{1} << 20);
  }
}

TEST_F(Tables, AreDescribed) {
  const Table table{Array::FromDoubles({4, 2}, std::vector<double>{1, 5, 2, 5, 3, 5, 6, 5}),
                    {"a", "b"},
                    {"int8 became float64"}};
  const auto record = SaveTable(store_.get(), "t", table, "upload t.npy", "four rows \xff");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->rows, 4);
  EXPECT_EQ(record->columns, 2);
  EXPECT_EQ(record->dtype, "float64");
  const auto info = InfoFromJson(store_->GetDataset("t")->info_json);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_THAT(info->column_names, ElementsAre("a", "b"));
  EXPECT_THAT(info->mean, ElementsAre(3, 5));
  EXPECT_THAT(info->stddev, ElementsAre(std::sqrt(3.5), 0));
  EXPECT_THAT(info->min, ElementsAre(1, 5));
  EXPECT_THAT(info->max, ElementsAre(6, 5));
  EXPECT_EQ(info->source, "upload t.npy");
  EXPECT_THAT(info->notes, ElementsAre("int8 became float64"));
  EXPECT_EQ(info->hash.size(), 64u);
}

// Their squares overflow a double, and JSON holds no infinity: the listing of all
// datasets used to fail from then on.
TEST_F(Tables, OfTheGreatestNumbersCanBeDescribed) {
  constexpr double kMost = std::numeric_limits<double>::max();
  const Table table{
      Array::FromDoubles({3, 2}, std::vector<double>{kMost, kMost, -kMost, kMost, kMost, kMost}),
      {},
      {}};
  const auto record = SaveTable(store_.get(), "t", table, "", "");
  ASSERT_TRUE(record.ok()) << record.status();
  const auto info = InfoFromJson(record->info_json);
  ASSERT_TRUE(info.ok()) << info.status();
  for (const double number : {info->mean[0], info->stddev[0], info->mean[1], info->stddev[1]}) {
    EXPECT_TRUE(std::isfinite(number));
  }
}

TEST_F(Tables, HaveAHashOfShapeDtypeAndRows) {
  const Array six = Array::FromFloats({2, 3}, std::vector<float>(6, 0));
  const Array turned = Array::FromFloats({3, 2}, std::vector<float>(6, 0));
  std::set<std::string> hashes;
  int count = 0;
  for (const Array& rows : {six, turned, six.To(DType::kFloat64), six}) {
    const auto record = SaveTable(store_.get(), absl::StrCat("t", count++), {rows, {}, {}}, "", "");
    ASSERT_TRUE(record.ok());
    hashes.insert(InfoFromJson(record->info_json)->hash);
  }
  EXPECT_EQ(hashes.size(), 3u);
}

TEST_F(Tables, AreNotReadWhenDamaged) {
  const auto record = SaveTable(store_.get(), "good", CountingTable(DType::kFloat32, 2, 2), "", "");
  ASSERT_TRUE(record.ok());
  for (const std::string& chunk :
       {std::string(16, 'x'), std::string(15, 'x'), std::string(17, 'x'), std::string(8, 'x')}) {
    store::DatasetRecord damaged = *record;
    damaged.id = absl::StrCat("bad-", chunk.size());
    ASSERT_TRUE(store_->CreateDataset(damaged, store::Chunks({chunk})).ok());
    EXPECT_FALSE(LoadRows(store_.get(), damaged.id).ok()) << chunk.size();
  }
  EXPECT_EQ(LoadRows(store_.get(), "none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Tables, AreRefusedByName) {
  const auto refused = [&](Array rows, std::vector<std::string> names) {
    return FieldOf(
        SaveTable(store_.get(), "t", {std::move(rows), std::move(names), {}}, "", "").status());
  };
  EXPECT_EQ(refused(Array(DType::kFloat32, {4}), {}), "rows");
  EXPECT_EQ(refused(Array(DType::kFloat32, {0, 4}), {}), "rows");
  EXPECT_EQ(refused(Array(DType::kFloat32, {4, 0}), {}), "rows");
  EXPECT_EQ(refused(Array(DType::kFloat32, {1, 65'537}), {}), "rows");
  EXPECT_EQ(refused(Array(DType::kFloat32, {2, 2}), {"one"}), "column_names");
  EXPECT_EQ(refused(Array::FromFloats({1, 1}, std::vector<float>{NAN}), {}), "rows");
  EXPECT_FALSE(store_->GetDataset("t").ok());
}

TEST(DatasetInfoJson, ThatIsDamagedIsAnError) {
  for (const char* json : {"", "[]", "{}", "null", R"({"column_names": 1})"}) {
    EXPECT_FALSE(InfoFromJson(json).ok()) << json;
  }
}

TEST(Sha256, GivesThePublishedAnswers) {
  // FIPS 180-4's examples.
  Sha256 abc;
  abc.Add("a");
  abc.Add("bc");
  EXPECT_EQ(std::move(abc).Hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256().Hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace sluiced::data
