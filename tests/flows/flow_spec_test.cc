#include "server/flows/flow_spec.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "server/common/errors.h"
#include "server/flows/parameters.h"

namespace sluiced::flows {
namespace {

FlowSpec Valid() {
  FlowSpec spec;
  spec.dim = 2;
  return spec;
}

TEST(FlowSpec, JsonRoundTrip) {
  FlowSpec spec = Valid();
  EXPECT_EQ(*SpecFromJson(ToJson(spec)), spec);
  spec = {.architecture = Architecture::kNeuralSpline,
          .dim = 7,
          .layers = 3,
          .hidden = 5,
          .depth = 1,
          .dtype = DType::kFloat64,
          .scale_bound = 0.1,
          .standardize = false,
          .initialization = Initialization::kUniform,
          .executor = Executor::kTorch,
          .context_dim = 4,
          .base = Base::kMixture,
          .components = 3,
          .degrees_of_freedom = 2.5,
          .columns = {{.index = 1, .support = Support::kPositive},
                      {.index = 5, .support = Support::kPeriodic, .low = -3.14, .high = 3.14}},
          .mixing = Mixing::kAlternate,
          .act_norm = true,
          .bins = 4,
          .bound = 3};
  EXPECT_EQ(*SpecFromJson(ToJson(spec)), spec);
  EXPECT_EQ(ToJson(spec), ToJson(*SpecFromJson(ToJson(spec))));
}

TEST(FlowSpec, MissingFieldsTakeTheirDefaults) {
  EXPECT_EQ(*SpecFromJson(R"({"dim": 2})"), Valid());
}

// What each new field may be, and which of them go together.
TEST(FlowSpec, NonsenseAmongArchitecturesColumnsAndBasesNamesTheField) {
  const struct {
    std::string json, field;
  } kCases[] = {
      {R"({"dim": 2, "mixing": "lu"})", "mixing"},
      {R"({"dim": 2, "act_norm": true})", "act_norm"},
      {R"({"dim": 2, "bins": 1})", "bins"},
      {R"({"dim": 2, "bins": 257})", "bins"},
      {R"({"dim": 2, "bound": 0})", "bound"},
      {R"({"dim": 2, "context_dim": -1})", "context_dim"},
      {R"({"dim": 2, "components": 0})", "components"},
      {R"({"dim": 2, "degrees_of_freedom": 0.1})", "degrees_of_freedom"},
      {R"({"dim": 2, "base": "cauchy"})", "base"},
      {R"({"dim": 2, "base": "uniform"})", "base"},
      {R"({"dim": 2, "columns": 3})", "columns"},
      {R"({"dim": 2, "columns": [{"index": 2, "support": "positive"}]})", "columns[0].index"},
      {R"({"dim": 2, "columns": [{"index": 0, "support": "round"}]})", "columns[0].support"},
      {R"({"dim": 2, "columns": [{"index": 0, "support": "periodic", "high": 1}]})",
       "columns[0].support"},
      {R"({"dim": 2, "columns": [{"index": 0, "support": "interval", "low": 1, "high": 1}]})",
       "columns[0].high"},
      {R"({"dim": 2, "columns": [{"index": 1, "support": "positive"},
                                 {"index": 0, "support": "positive"}]})",
       "columns[1].index"},
      {R"({"dim": 2, "columns": [{"index": 0, "wide": 1}]})", "columns[0].wide"},
      {R"({"dim": 2, "architecture": "neural-spline", "mixing": "permute",
           "columns": [{"index": 0, "support": "periodic", "high": 1}]})",
       "mixing"},
  };
  for (const auto& [json, field] : kCases) {
    const absl::Status status = SpecFromJson(json).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << json;
    EXPECT_EQ(status.message().substr(0, field.size()), field) << json << ": " << status;
  }
}

TEST(FlowSpec, HostileJsonNamesTheField) {
  const struct {
    std::string json, field;
  } kCases[] = {
      {R"({})", "dim"},
      {R"({"dim": 0})", "dim"},
      {R"({"dim": -3})", "dim"},
      {R"({"dim": 2.5})", "dim"},
      {R"({"dim": "2"})", "dim"},
      {R"({"dim": null})", "dim"},
      {R"({"dim": [2]})", "dim"},
      {R"({"dim": 18446744073709551615})", "dim"},
      {R"({"dim": 9223372036854775807})", "dim"},
      {R"({"dim": 99999999999999999999999999})", "dim"},
      {R"({"dim": 2, "layers": 0})", "layers"},
      {R"({"dim": 2, "layers": 9223372036854775807})", "layers"},
      {R"({"dim": 2, "hidden": 1e3})", "hidden"},
      {R"({"dim": 65536, "layers": 1024, "hidden": 65536, "depth": 64})", "hidden"},
      {R"({"dim": 2, "depth": 65})", "depth"},
      {R"({"dim": 2, "dtype": "float16"})", "dtype"},
      {R"({"dim": 2, "dtype": 32})", "dtype"},
      {R"({"dim": 2, "scale_bound": -1})", "scale_bound"},
      {R"({"dim": 2, "scale_bound": 1e-300})", "scale_bound"},
      {R"({"dim": 2, "scale_bound": 1e300})", "scale_bound"},
      {R"({"dim": 2, "scale_bound": "2"})", "scale_bound"},
      {R"({"dim": 2, "standardize": 1})", "standardize"},
      {R"({"dim": 2, "initialization": "zeros"})", "initialization"},
      {R"({"dim": 2, "executor": "gpu"})", "executor"},
      {R"({"dim": 2, "architecture": "glow"})", "architecture"},
      {R"({"dim": 2, "colour": "red"})", "colour"},
  };
  for (const auto& [json, field] : kCases) {
    const absl::Status status = SpecFromJson(json).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_EQ(FieldOf(status).value_or("none"), field) << json << ": " << status;
  }
}

TEST(FlowSpec, WhatIsNoObjectIsRefused) {
  for (const std::string json : {"", "null", "[]", "7", "{", R"({"dim": 2)", R"({"dim": 2}x)",
                                 "\xff\xfe", R"({"dim": 1e999})"}) {
    EXPECT_EQ(SpecFromJson(json).status().code(), absl::StatusCode::kInvalidArgument) << json;
  }
  const std::string deep(1'000'000, '[');
  EXPECT_FALSE(SpecFromJson(deep).ok());
}

TEST(FlowSpec, ValidateRefusesBoundsThatAreNoNumber) {
  FlowSpec spec = Valid();
  for (double bound :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    spec.scale_bound = bound;
    EXPECT_EQ(FieldOf(Validate(spec)), "scale_bound");
  }
}

TEST(FlowSpec, TheLargestValidCountIsCountedExactly) {
  FlowSpec spec = Valid();
  spec.dim = 1;
  spec.layers = 1;
  spec.depth = 1;
  spec.hidden = kMaxHidden;
  ASSERT_TRUE(Validate(spec).ok());
  EXPECT_EQ(ParameterCount(spec), 2 * (3 * kMaxHidden + 1));
  spec.depth = 2;  // 65536 squared, twice.
  EXPECT_EQ(FieldOf(Validate(spec)), "hidden");
}

TEST(FlowSpec, WarnsOfWhatItCannotDo) {
  FlowSpec spec = Valid();
  EXPECT_TRUE(Warnings(spec).empty());
  spec.layers = 1;
  EXPECT_EQ(Warnings(spec).size(), 1u);
  spec.dim = 1;
  EXPECT_EQ(Warnings(spec).size(), 1u);
}

TEST(FlowSpec, WarnsOfSettingsThatItDoesNotHave) {
  const auto warnings_of = [](const std::function<void(FlowSpec*)>& change) {
    FlowSpec spec = Valid();
    change(&spec);
    return Warnings(spec).size();
  };
  EXPECT_EQ(warnings_of([](FlowSpec* spec) { spec->bins = 16; }), 1u);
  EXPECT_EQ(warnings_of([](FlowSpec* spec) { spec->bound = 10; }), 1u);
  EXPECT_EQ(warnings_of([](FlowSpec* spec) { spec->components = 2; }), 1u);
  EXPECT_EQ(warnings_of([](FlowSpec* spec) { spec->degrees_of_freedom = 2; }), 1u);
  EXPECT_EQ(warnings_of([](FlowSpec* spec) { spec->scale_bound = 1; }), 0u);
  EXPECT_EQ(warnings_of([](FlowSpec* spec) {
              spec->architecture = Architecture::kNice;
              spec->scale_bound = 1;
            }),
            1u);
  EXPECT_EQ(warnings_of([](FlowSpec* spec) {
              spec->architecture = Architecture::kNeuralSpline;
              spec->bins = 16;
              spec->base = Base::kMixture;
              spec->components = 2;
            }),
            0u);
}

}  // namespace
}  // namespace sluiced::flows
