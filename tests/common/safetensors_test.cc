#include "server/common/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/common/philox.h"

namespace sluiced {
namespace {

std::string WithLength(uint64_t length, const std::string& rest) {
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes + rest;
}

std::string File(const std::string& header, size_t data_bytes) {
  return WithLength(header.size(), header + std::string(data_bytes, '\1'));
}

SafetensorsFile Example() {
  SafetensorsFile file;
  file.tensors["a"] = Array::FromFloats({3}, std::vector<float>{1, 2, 3});
  file.tensors["b"] = Array::FromDoubles({1, 2}, std::vector<double>{4, 5});
  file.tensors["none"] = Array(DType::kFloat32, {0, 7});
  file.tensors["scalar"] = Array(DType::kFloat64, {});
  file.metadata = {{"spec", R"({"dim": 2, "quote": "\""})"}, {"text", "line\nline \xc3\xa4"}};
  return file;
}

TEST(Safetensors, RoundTrip) {
  const SafetensorsFile file = Example();
  const std::string bytes = EncodeSafetensors(file);
  EXPECT_EQ(bytes, EncodeSafetensors(file));
  const auto decoded = DecodeSafetensors(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->tensors, file.tensors);
  EXPECT_EQ(decoded->metadata, file.metadata);
  const auto empty = DecodeSafetensors(EncodeSafetensors({}));
  ASSERT_TRUE(empty.ok()) << empty.status();
  EXPECT_TRUE(empty->tensors.empty());
}

TEST(Safetensors, DataIsAligned) {
  const std::string bytes = EncodeSafetensors(Example());
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  EXPECT_EQ(length % 8, 0u);
}

TEST(Safetensors, ReadsWhatPythonWrites) {
  std::ifstream in(SLUICE_TEST_DATA "/parity/d2_l8_h32_f32.weights.safetensors", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto file = DecodeSafetensors(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tensors.at("block_masks.0"), Array::FromFloats({2}, std::vector<float>{1, 0}));
  EXPECT_EQ(file->tensors.at("layers.7.sequential_shift_nn.4.weight").shape(),
            (std::vector<int64_t>{2, 32}));
}

struct Hostile {
  const char* name;
  std::string bytes;
  const char* says;
};

std::vector<Hostile> HostileFiles() {
  const std::string good = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  std::string ones;
  for (int i = 0; i < 40; ++i) ones += ",1";
  return {
      {"Empty", "", "no header"},
      {"ShortLength", "\1\2\3", "no header"},
      {"LengthBeyondFile", WithLength(100, "{}"), "header of 100 bytes"},
      {"LengthOverflows", WithLength(~uint64_t{0}, "{}"), "header of"},
      {"NoJson", File("{", 0), "no JSON"},
      {"NotUtf8", File("{\"\xff\":{}}", 0), "no JSON"},
      {"List", File("[]", 0), "no JSON object"},
      {"Number", File("7", 0), "no JSON object"},
      {"EntryIsNumber", File(R"({"a":7})", 0), "'a'"},
      {"EntryIsList", File(R"({"a":[]})", 0), "'a'"},
      {"EntryIsEmpty", File(R"({"a":{}})", 0), "lacks"},
      {"NoOffsets", File(R"({"a":{"dtype":"F32","shape":[0]}})", 0), "lacks"},
      {"OneOffset", File(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0]}})", 0), "offsets"},
      {"NoOffset", File(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[]}})", 0), "offsets"},
      {"NegativeShape", File(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8),
       "negative"},
      {"FractionalShape", File(R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8),
       "whole"},
      {"HugeShape",
       File(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8),
       "overflows"},
      {"ShapeBeyondInt64",
       File(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", 8),
       "negative"},
      {"SizeMismatch", File(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
       "needs 12 bytes"},
      {"BackwardOffsets", File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8),
       "'a'"},
      {"OffsetsBeyondData", File(absl::StrCat("{", good, "}"), 4), "outside"},
      {"DataLeftOver", File(absl::StrCat("{", good, "}"), 12), "after the last"},
      {"Gap",
       File(absl::StrCat("{", good, R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})"),
            16),
       "'b'"},
      {"Overlap",
       File(absl::StrCat("{", good, R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})"),
            12),
       "'b'"},
      {"SameBytesTwice",
       File(absl::StrCat("{", good, R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
            8),
       "begins at byte 0"},
      {"NameTwice", File(absl::StrCat("{", good, ",", good, "}"), 8), "twice"},
      {"Integers", File(R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8), "I64"},
      {"DTypeIsNumber", File(R"({"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", 4), "'a'"},
      {"UnknownKey", File(R"({"a":{"colour":"red"}})", 0), "'colour'"},
      {"MetadataIsNumber", File(R"({"__metadata__":{"a":1}})", 0), "__metadata__"},
      {"MetadataIsNested", File(R"({"__metadata__":{"a":{}}})", 0), "__metadata__"},
      {"MetadataIsString", File(R"({"__metadata__":"a"})", 0), "__metadata__"},
      {"MetadataIsList", File(R"({"__metadata__":["a"]})", 0), "__metadata__"},
      {"NestedShape", File(R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", 8),
       "a list"},
      {"ObjectInShape", File(R"({"a":{"dtype":"F32","shape":[{}],"data_offsets":[0,8]}})", 8),
       "an object"},
      {"DeepNesting", File(std::string(1'000'000, '['), 0), "no JSON object"},
      {"DeepNestingInside", File(R"({"a":{"shape":)" + std::string(1'000'000, '['), 0), "a list"},
      {"LongShape", File(R"({"a":{"shape":[1)" + ones + "]}}", 0), "too long"},
  };
}

class HostileSafetensors : public testing::TestWithParam<Hostile> {};

INSTANTIATE_TEST_SUITE_P(Files, HostileSafetensors, testing::ValuesIn(HostileFiles()),
                         [](const auto& run) { return run.param.name; });

TEST_P(HostileSafetensors, IsRefusedSayingWhy) {
  const absl::Status status = DecodeSafetensors(GetParam().bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(GetParam().says));
  EXPECT_LT(status.message().size(), 1000u);
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string bytes = EncodeSafetensors(Example());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeSafetensors(absl::string_view(bytes).substr(0, size)).ok()) << size;
  }
}

// Whatever comes back, it does so: for the sanitizers to watch.
TEST(Safetensors, FlippedBytesNeverCrash) {
  const std::string good = EncodeSafetensors(Example());
  PhiloxReader random(/*seed=*/1, Stream::kGenerate);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (uint64_t flips = 1 + random.Below(4); flips > 0; --flips) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.NextWord());
    }
    const auto file = DecodeSafetensors(bytes);
    if (file.ok()) {
      EXPECT_LE(file->tensors.size(), 5u);
    }
  }
}

}  // namespace
}  // namespace sluiced
