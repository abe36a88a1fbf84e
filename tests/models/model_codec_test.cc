#include "server/models/model_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/safetensors.h"
#include "server/flows/parameters.h"

namespace sluiced::models {
namespace {

using ::testing::HasSubstr;

flows::FlowState SomeState(DType dtype, int64_t dim, bool with_map) {
  flows::FlowState state;
  state.spec.dim = dim;
  state.spec.layers = 3;
  state.spec.hidden = 5;
  state.spec.depth = 1 + dim % 3;
  state.spec.dtype = dtype;
  state.spec.scale_bound = 1.7;
  state.spec.initialization = flows::Initialization::kUniform;
  state.parameters = flows::InitialParameters(state.spec, 9);
  for (int64_t i = 0; with_map && i < dim; ++i) {
    state.standardization.shift.push_back(0.1 * static_cast<double>(i) - 1e-17);
    state.standardization.scale.push_back(std::nextafter(1.0 / 3, 1));
  }
  return state;
}

TEST(ModelFiles, GiveBackTheSameBits) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const int64_t dim : {1, 2, 5}) {
      for (const bool with_map : {false, true}) {
        const flows::FlowState state = SomeState(dtype, dim, with_map);
        const std::string file = EncodeModelFile(state);
        const auto decoded = DecodeModelFile(file);
        ASSERT_TRUE(decoded.ok()) << decoded.status();
        EXPECT_EQ(decoded->spec, state.spec);
        EXPECT_EQ(decoded->parameters, state.parameters);
        EXPECT_EQ(decoded->standardization, state.standardization);
        EXPECT_EQ(EncodeModelFile(*decoded), file);
        const auto parameters = DecodeParameters(state.spec, EncodeParameters(state.parameters));
        ASSERT_TRUE(parameters.ok()) << parameters.status();
        EXPECT_EQ(*parameters, state.parameters);
      }
    }
  }
}

TEST(Parameters, OfAnotherSizeAreRefused) {
  const flows::FlowState state = SomeState(DType::kFloat32, 2, false);
  const std::string bytes = EncodeParameters(state.parameters);
  for (const std::string& wrong : {std::string(), bytes + "x", bytes.substr(1), bytes + bytes}) {
    EXPECT_FALSE(DecodeParameters(state.spec, wrong).ok());
  }
}

std::string ParityFile(const std::string& name) {
  std::ifstream file(absl::StrCat(SLUICE_TEST_DATA, "/parity/", name, ".weights.safetensors"),
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Parity {
  std::string name;
  int64_t dim, layers, hidden;
  DType dtype;
};

class SeedFiles : public ::testing::TestWithParam<Parity> {};

TEST_P(SeedFiles, AreImportedWithTheirSpec) {
  const Parity& want = GetParam();
  const std::string bytes = ParityFile(want.name);
  const auto state = DecodeModelFile(bytes);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->spec.dim, want.dim);
  EXPECT_EQ(state->spec.layers, want.layers);
  EXPECT_EQ(state->spec.hidden, want.hidden);
  EXPECT_EQ(state->spec.depth, 2);
  EXPECT_EQ(state->spec.dtype, want.dtype);
  EXPECT_EQ(state->spec.scale_bound, 0);
  EXPECT_FALSE(state->spec.standardize);
  EXPECT_TRUE(state->standardization.empty());
  const auto file = DecodeSafetensors(bytes);
  ASSERT_TRUE(file.ok());
  for (const flows::ParameterSlice& slice : flows::ParameterLayout(state->spec)) {
    const Array& tensor = file->tensors.at(slice.name);
    const Array ours = state->parameters.Rows(slice.offset, slice.size);
    EXPECT_TRUE(std::ranges::equal(tensor.bytes(), ours.bytes())) << slice.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SeedFiles,
                         ::testing::Values(Parity{"d2_l8_h32_f32", 2, 8, 32, DType::kFloat32},
                                           Parity{"d2_l8_h32_f64", 2, 8, 32, DType::kFloat64},
                                           Parity{"d5_l7_h16_f32", 5, 7, 16, DType::kFloat32},
                                           Parity{"d5_l7_h16_f64", 5, 7, 16, DType::kFloat64}),
                         [](const auto& param) { return param.param.name; });

SafetensorsFile SeedFile() { return *DecodeSafetensors(ParityFile("d5_l7_h16_f32")); }

TEST(StateDicts, NeedNoMasksAndMayComeFromPyTorch) {
  SafetensorsFile file = SeedFile();
  const auto with_masks = DecodeModelFile(EncodeSafetensors(file));
  std::erase_if(file.tensors, [](const auto& t) { return t.first.find("mask") != t.first.npos; });
  file.metadata["format"] = "pt";
  const auto without = DecodeModelFile(EncodeSafetensors(file));
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_EQ(without->spec, with_masks->spec);
  EXPECT_EQ(without->parameters, with_masks->parameters);
}

struct Damage {
  std::string name;
  std::function<void(SafetensorsFile&)> apply;
  std::string error;
};

class DamagedStateDicts : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedStateDicts, AreRefusedNamingTheTensor) {
  SafetensorsFile file = SeedFile();
  GetParam().apply(file);
  const absl::Status status = DecodeModelFile(EncodeSafetensors(file)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().error));
}

constexpr char kBias[] = "layers.2.sequential_shift_nn.2.bias";
constexpr char kFirst[] = "layers.0.sequential_scale_nn.0.weight";

INSTANTIATE_TEST_SUITE_P(
    Table, DamagedStateDicts,
    ::testing::Values(
        Damage{"Empty", [](auto& f) { f.tensors.clear(); }, kFirst},
        Damage{"Missing", [](auto& f) { f.tensors.erase(kBias); }, kBias},
        Damage{"MissingLayer",
               [](auto& f) {
                 std::erase_if(f.tensors, [](const auto& named) {
                   return named.first.starts_with("layers.3.");
                 });
               },
               "'layers.3.sequential_scale_nn.0.weight' is missing"},
        Damage{"MissingLinear",
               [](auto& f) { f.tensors.erase("layers.0.sequential_scale_nn.2.weight"); },
               "'layers.0.sequential_scale_nn.2.weight' is missing"},
        Damage{"Unknown", [](auto& f) { f.tensors["layers.0.extra"] = Array(); }, "layers.0.extra"},
        Damage{"UnknownBatchNorm",
               [](auto& f) { f.tensors["layers.0.sequential_scale_nn.1.weight"] = Array(); },
               "layers.0.sequential_scale_nn.1.weight"},
        Damage{"TooManyLayers",
               [](auto& f) { f.tensors["layers.99999.sequential_scale_nn.0.weight"] = Array(); },
               "layers"},
        Damage{"HugeLayerNumber",
               [](auto& f) { f.tensors["layers.9223372036854775807.x"] = Array(); }, "layers"},
        Damage{"Shape", [](auto& f) { f.tensors[kBias] = Array(DType::kFloat32, {17}); }, kBias},
        Damage{"Rank", [](auto& f) { f.tensors[kFirst] = Array(DType::kFloat32, {80}); }, kFirst},
        Damage{"NoColumns",
               [](auto& f) {
                 f.tensors[kFirst] = Array(DType::kFloat32, {16, 0});
               },
               "dim"},
        Damage{"MixedDtypes",
               [](auto& f) { f.tensors[kBias] = f.tensors[kBias].To(DType::kFloat64); }, kBias},
        Damage{"NaN", [](auto& f) { f.tensors[kBias].template as<float>()[3] = NAN; }, kBias},
        Damage{"Infinity", [](auto& f) { f.tensors[kFirst].template as<float>()[0] = INFINITY; },
               kFirst},
        Damage{"MaskFlipped",
               [](auto& f) {
                 for (float& bit : f.tensors["block_masks.1"].template as<float>()) bit = 1 - bit;
               },
               "block_masks.1"},
        Damage{"MaskOfALayer",
               [](auto& f) { f.tensors["layers.4.block_mask"].template as<float>()[0] = 0.5; },
               "layers.4.block_mask"},
        Damage{"MaskOfNoLayer", [](auto& f) { f.tensors["block_masks.7"] = Array(); },
               "block_masks.7"},
        Damage{"LaterFormat", [](auto& f) { f.metadata["format"] = "sluice-v2"; }, "sluice-v2"}),
    [](const auto& param) { return param.param.name; });

class DamagedModelFiles : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedModelFiles, AreRefused) {
  auto file = DecodeSafetensors(EncodeModelFile(SomeState(DType::kFloat32, 2, true)));
  ASSERT_TRUE(file.ok());
  GetParam().apply(*file);
  const absl::Status status = DecodeModelFile(EncodeSafetensors(*file)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().error));
}

std::function<void(SafetensorsFile&)> SetMap(const std::string& json) {
  return [json](SafetensorsFile& f) { f.metadata["standardization"] = json; };
}

INSTANTIATE_TEST_SUITE_P(
    Table, DamagedModelFiles,
    ::testing::Values(
        Damage{"NoSpec", [](auto& f) { f.metadata.erase("spec"); }, "spec"},
        Damage{"SpecOfMoreLayers",
               [](auto& f) {
                 flows::FlowSpec spec = SomeState(DType::kFloat32, 2, true).spec;
                 spec.layers = 4;
                 f.metadata["spec"] = flows::ToJson(spec);
               },
               "layers.3.sequential_scale_nn.0.weight"},
        // Two gibibytes of parameters, asked for by a file of a few kilobytes.
        Damage{"SpecOfAGiant",
               [](auto& f) {
                 flows::FlowSpec spec = SomeState(DType::kFloat64, 2, true).spec;
                 spec.hidden = 6000;
                 spec.depth = 2;
                 spec.layers = 3;
                 f.metadata["spec"] = flows::ToJson(spec);
               },
               "layers.0.sequential_scale_nn.0.weight"},
        Damage{"MapNoJson", SetMap("{"), "standardisation"},
        Damage{"MapOfText", SetMap(R"({"shift": ["a", 1], "scale": [1, 1]})"), "standardisation"},
        Damage{"MapTooShort", SetMap(R"({"shift": [1], "scale": [1]})"), "standardisation"},
        Damage{"MapHalf", SetMap(R"({"shift": [], "scale": [1, 1]})"), "standardisation"},
        Damage{"MapZero", SetMap(R"({"shift": [0, 0], "scale": [1, 0]})"), "standardisation"},
        Damage{"MapNegative", SetMap(R"({"shift": [0, 0], "scale": [1, -1]})"), "standardisation"},
        Damage{"MapNull", SetMap(R"({"shift": [0, null], "scale": [1, 1]})"), "standardisation"},
        Damage{"MapTooLarge", SetMap(R"({"shift": [0, 1e999], "scale": [1, 1]})"),
               "standardisation"},
        Damage{"MapDeep", SetMap(std::string(1 << 20, '[')), "standardisation"},
        Damage{"Mask", [](auto& f) { f.tensors["block_masks.0"] = Array(); }, "block_masks.0"}),
    [](const auto& param) { return param.param.name; });

TEST(ModelFiles, OfOtherDtypesAreRefused) {
  for (const char* dtype : {"F16", "BF16", "I64"}) {
    std::string file = EncodeModelFile(SomeState(DType::kFloat32, 2, false));
    const size_t at = file.find("\"F32\"");
    const std::string header = absl::StrCat("{\"", kFirst, "\":{\"dtype\":\"", dtype,
                                            "\",\"shape\":[1],\"data_offsets\":[0,8]}}");
    ASSERT_NE(at, file.npos);
    const uint64_t length = header.size();
    file = std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(8, '\0');
    EXPECT_THAT(std::string(DecodeModelFile(file).status().message()), HasSubstr(dtype));
  }
}

TEST(ModelFiles, CutOffAnywhereAreRefused) {
  const std::string file = EncodeModelFile(SomeState(DType::kFloat32, 2, true));
  for (size_t size = 0; size < file.size(); size += 1 + size / 97) {
    EXPECT_FALSE(DecodeModelFile(absl::string_view(file).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace sluiced::models
