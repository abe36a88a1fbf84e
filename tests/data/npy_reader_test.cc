#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/philox.h"
#include "server/data/readers.h"

namespace sluiced::data {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::string File(const std::string& dict, const std::string& data, char version = 1) {
  std::string length(version == 1 ? 2 : 4, '\0');
  length[0] = static_cast<char>(dict.size() & 0xff);
  length[1] = static_cast<char>(dict.size() >> 8);
  return std::string("\x93NUMPY") + version + '\0' + length + dict + data;
}

std::string Dict(const std::string& descr, const std::string& shape, bool fortran = false) {
  return absl::StrCat("{'descr': '", descr, "', 'fortran_order': ", fortran ? "True" : "False",
                      ", 'shape': ", shape, ", }    \n");
}

template <typename T>
std::string Bytes(const std::vector<T>& values, bool big_endian = false) {
  std::string bytes;
  for (const T& value : values) {
    std::string one(reinterpret_cast<const char*>(&value), sizeof(T));
    if (big_endian) std::reverse(one.begin(), one.end());
    bytes += one;
  }
  return bytes;
}

template <typename T>
void ExpectReads(const std::string& type, const std::vector<T>& values) {
  const std::vector<double> expected(values.begin(), values.end());
  for (const bool big : {false, true}) {
    const std::string descr = absl::StrCat(big ? ">" : "<", type);
    const auto table = ReadNpy(File(Dict(descr, "(2, 2)"), Bytes(values, big)));
    ASSERT_TRUE(table.ok()) << descr << table.status();
    const Array doubles = table->rows.To(DType::kFloat64);
    EXPECT_EQ(doubles.shape(), (std::vector<int64_t>{2, 2}));
    EXPECT_THAT(std::as_const(doubles).as<double>(), ElementsAreArray(expected)) << descr;
    const bool kept = type == "f4" || type == "f8";
    EXPECT_EQ(table->notes.empty(), kept) << descr;
    EXPECT_EQ(table->rows.dtype(), type == "f4" ? DType::kFloat32 : DType::kFloat64);
  }
}

TEST(Npy, ReadsEveryTypeInBothByteOrders) {
  ExpectReads<float>("f4", {1.5f, -2, 3e38f, 1e-45f});
  ExpectReads<double>("f8", {0.1, -2, 1e308, 5e-324});
  ExpectReads<int8_t>("i1", {-128, 127, 0, 1});
  ExpectReads<int16_t>("i2", {-32768, 32767, 0, 258});
  ExpectReads<int32_t>("i4", {-2147483647 - 1, 2147483647, 0, 16909060});
  ExpectReads<int64_t>("i8", {-1, 1099511627776, 0, 1});
  ExpectReads<uint8_t>("u1", {255, 128, 0, 1});
  ExpectReads<uint16_t>("u2", {65535, 258, 0, 1});
  ExpectReads<uint32_t>("u4", {4294967295u, 16909060, 0, 1});
  ExpectReads<uint64_t>("u8", {1ull << 63, 1, 0, 2});
}

TEST(Npy, ReadsHalfPrecisionAndBool) {
  const auto half =
      ReadNpy(File(Dict("<f2", "(5,)"), Bytes<uint16_t>({0x3c00, 0xc000, 1, 0x7bff, 0x8000})));
  ASSERT_TRUE(half.ok()) << half.status();
  EXPECT_THAT(half->rows.as<double>(), ElementsAre(1, -2, std::ldexp(1, -24), 65504, 0));
  const auto boolean = ReadNpy(File(Dict("|b1", "(3,)"), std::string("\0\1\2", 3)));
  ASSERT_TRUE(boolean.ok()) << boolean.status();
  EXPECT_THAT(boolean->rows.as<double>(), ElementsAre(0, 1, 1));
  EXPECT_THAT(boolean->notes, ElementsAre("bool became float64"));
}

TEST(Npy, ReadsBothOrdersAndAllVersions) {
  const std::string data = Bytes<float>({1, 2, 3, 4, 5, 6});
  for (const char version : {1, 2, 3}) {
    const auto c = ReadNpy(File(Dict("<f4", "(2, 3)"), data, version));
    ASSERT_TRUE(c.ok()) << c.status();
    EXPECT_THAT(c->rows.as<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
    const auto fortran = ReadNpy(File(Dict("<f4", "(2, 3)", true), data, version));
    ASSERT_TRUE(fortran.ok()) << fortran.status();
    EXPECT_THAT(fortran->rows.as<float>(), ElementsAre(1, 3, 5, 2, 4, 6));
  }
}

TEST(Npy, ReadsTheSampleSets) {
  for (const auto& [name, columns] : {std::pair("wow", 2), {"hello", 2}, {"swiss", 3}}) {
    std::ifstream file(absl::StrCat(SLUICE_TEST_DATA, "/", name, ".npy"), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto table = ReadNpy(bytes);
    ASSERT_TRUE(table.ok()) << name << table.status();
    EXPECT_EQ(table->rows.shape(), (std::vector<int64_t>{5000, columns}));
    EXPECT_EQ(table->rows.dtype(), DType::kFloat32);
  }
}

TEST(Npy, NamesRowAndColumnOfANumberThatIsNotFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    const auto status =
        ReadNpy(File(Dict("<f4", "(2, 3)"), Bytes<float>({1, 2, 3, 4, 5, bad}))).status();
    EXPECT_EQ(FieldOf(status), "rows");
    EXPECT_THAT(std::string(status.message()), HasSubstr("row 1, column 2"));
  }
}

struct Bad {
  std::string name, file, error;
};

class BadNpy : public ::testing::TestWithParam<Bad> {};

TEST_P(BadNpy, IsRefused) {
  const absl::Status status = ReadNpy(GetParam().file).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(FieldOf(status), "chunk");
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().error));
}

const std::string kEight(8, '\0');

INSTANTIATE_TEST_SUITE_P(
    Table, BadNpy,
    ::testing::Values(
        Bad{"Empty", "", "begin"}, Bad{"Magic", "\x93NUMPX" + kEight, "begin"},
        Bad{"Version", File(Dict("<f4", "(2,)"), kEight, 4), "version"},
        Bad{"HeaderCutOff", File(Dict("<f4", "(2,)"), "").substr(0, 30), "cut off"},
        Bad{"NoDict", File("nothing", kEight), "header"},
        Bad{"NoShape", File("{'descr': '<f4', 'fortran_order': False}", kEight), "shape"},
        Bad{"DataCutOff", File(Dict("<f4", "(3,)"), kEight), "cut off"},
        Bad{"DataLeftOver", File(Dict("<f4", "(1,)"), kEight), "past its end"},
        Bad{"Object", File(Dict("|O", "(1,)"), kEight), "dtype"},
        Bad{"Text", File(Dict("<U2", "(1,)"), kEight), "dtype"},
        Bad{"Complex", File(Dict("<c8", "(1,)"), kEight), "dtype"},
        Bad{"LongDouble", File(Dict("<f16", "(1,)"), kEight + kEight), "dtype"},
        Bad{"OddSize", File(Dict("<i3", "(1,)"), kEight), "dtype"},
        Bad{"SizeOverflows", File(Dict("<f99999999999999999999", "(1,)"), kEight), "dtype"},
        Bad{"Structured",
            File("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", kEight),
            "structured"},
        Bad{"Scalar", File(Dict("<f8", "()"), kEight), "0 dimensions"},
        Bad{"ThreeDimensions", File(Dict("<f8", "(1, 1, 1)"), kEight), "3 dimensions"},
        Bad{"Negative", File(Dict("<f8", "(-1,)"), kEight), "shape"},
        Bad{"NoNumbers", File(Dict("<f8", "(0,)"), ""), "no numbers"},
        Bad{"NoColumns", File(Dict("<f8", "(4611686018427387904, 0)"), ""), "no numbers"},
        Bad{"NoRows", File(Dict("|u1", "(0, 9223372036854775807)"), ""), "no numbers"},
        Bad{"Huge", File(Dict("<f8", "(1000000000000, 1)"), kEight), "cut off"},
        Bad{"Overflows", File(Dict("<f8", "(4294967296, 4294967296)"), kEight), "cut off"},
        Bad{"OverflowsToFit", File(Dict("<f8", "(2305843009213693953, 1)"), kEight), "cut off"},
        Bad{"ExtentOverflows", File(Dict("<f8", "(18446744073709551617,)"), kEight), "shape"}),
    [](const auto& param) { return param.param.name; });

TEST(Npy, SurvivesDamageAnywhere) {
  const std::string good = File(Dict("<f4", "(2, 3)"), Bytes<float>({1, 2, 3, 4, 5, 6}));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ReadNpy(good.substr(0, size)).ok()) << size;
  }
  PhiloxReader random(1, Stream::kGenerate);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = good;
    for (uint64_t flips = 1 + random.Below(3); flips > 0; --flips) {
      damaged[random.Below(damaged.size())] = static_cast<char>(random.Below(256));
    }
    const auto table = ReadNpy(damaged);
    if (table.ok()) {
      EXPECT_TRUE(CheckRows(table->rows).ok());
    }
  }
}

}  // namespace
}  // namespace sluiced::data
