// Flows as the server uses them: rows in, rows out.
#include "server/flows/flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>

#include "server/common/errors.h"
#include "server/common/philox.h"
#include "server/flows/parameters.h"
#include "server/flows/torch_setup.h"
#include "tests/flows/parity_files.h"

namespace sluiced::flows {
namespace {

constexpr uint64_t kSeed = 3;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Environment : public testing::Environment {
  void SetUp() override { SetUpTorch(); }
};
const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new Environment);

FlowState State(int64_t dim, int64_t layers, double bound, DType dtype = DType::kFloat32) {
  FlowState state;
  state.spec.dim = dim;
  state.spec.layers = layers;
  state.spec.hidden = 16;
  state.spec.scale_bound = bound;
  state.spec.dtype = dtype;
  state.spec.initialization = Initialization::kUniform;
  state.parameters = InitialParameters(state.spec, kSeed);
  return state;
}

std::shared_ptr<const Flow> Make(FlowState state) { return *Flow::Create(std::move(state)); }

// All weights `factor` times as large.
FlowState Amplified(FlowState state, float factor) {
  for (float& value : state.parameters.as<float>()) value *= factor;
  return state;
}

class FlowParity : public testing::TestWithParam<ParityCase> {};

INSTANTIATE_TEST_SUITE_P(Seed, FlowParity, testing::ValuesIn(kParityCases),
                         [](const auto& run) { return run.param.file; });

TEST_P(FlowParity, ValuesAndLogDets) {
  const double tolerance = GetParam().dtype == DType::kFloat32 ? 1e-5 : 1e-10;
  const auto flow = Make(ParityState(GetParam()));
  const SafetensorsFile file = ParityExpected(GetParam());
  auto expected = [&](const char* name) { return file.tensors.at(name); };
  EXPECT_LT(LargestError(*flow->LogProb(expected("x")), expected("log_prob")), tolerance);
  const Images base = *flow->ToBase(expected("x"), KeepLayers::kNo);
  EXPECT_LT(LargestError(base.values, expected("z")), tolerance);
  EXPECT_LT(LargestError(base.ladj, expected("to_base_ladj")), tolerance);
  const Images image = *flow->FromBase(expected("base"), KeepLayers::kNo);
  EXPECT_LT(LargestError(image.values, expected("image")), tolerance);
  EXPECT_LT(LargestError(image.ladj, expected("from_base_ladj")), tolerance);
}

TEST(Flow, DensityIntegratesToOneInOneDimension) {
  for (int64_t layers : {1, 2, 8}) {
    FlowState state = State(1, layers, 2.0, DType::kFloat64);
    state.standardization = {.shift = {0.7}, .scale = {1.9}};
    constexpr int64_t kPoints = 40'001;
    constexpr double kFrom = -80, kStep = 0.004;
    Array x(DType::kFloat64, {kPoints, 1});
    for (size_t i = 0; i < kPoints; ++i) x.as<double>()[i] = kFrom + kStep * static_cast<double>(i);
    const Array log_prob = *Make(std::move(state))->LogProb(x);
    double sum = 0;
    for (double value : log_prob.as<double>()) sum += std::exp(value) * kStep;
    EXPECT_NEAR(sum, 1, 1e-9) << layers << " layers";
  }
}

TEST(Flow, DensityIntegratesToOneInTwoDimensions) {
  for (double bound : {0.0, 2.0}) {
    FlowState state = State(2, 4, bound, DType::kFloat64);
    state.standardization = {.shift = {0.3, -0.4}, .scale = {0.8, 1.2}};
    constexpr size_t kSide = 601;
    constexpr double kFrom = -15, kStep = 0.05;
    Array x(DType::kFloat64, {kSide * kSide, 2});
    for (size_t i = 0; i < kSide * kSide; ++i) {
      x.as<double>()[2 * i] = kFrom + kStep * static_cast<double>(i / kSide);
      x.as<double>()[2 * i + 1] = kFrom + kStep * static_cast<double>(i % kSide);
    }
    const Array log_prob = *Make(std::move(state))->LogProb(x);
    double sum = 0;
    for (double value : log_prob.as<double>()) sum += std::exp(value) * kStep * kStep;
    EXPECT_NEAR(sum, 1, 2e-5) << "bound " << bound;
  }
}

TEST(Flow, IdentityInitializationIsTheStandardisedNormal) {
  FlowState state = State(2, 4, 2.0, DType::kFloat64);
  state.spec.initialization = Initialization::kIdentity;
  state.parameters = InitialParameters(state.spec, kSeed);
  state.standardization = {.shift = {1, 2}, .scale = {3, 0.5}};
  const Array x = Array::FromDoubles({1, 2}, std::vector<double>{4, 2.5});
  const double expected = -std::log(2 * M_PI) - 0.5 * (1 + 1) - std::log(3 * 0.5);
  const auto flow = Make(std::move(state));
  EXPECT_NEAR(flow->LogProb(x)->At(0), expected, 1e-12);
  const Images base = *flow->ToBase(x, KeepLayers::kYes);
  EXPECT_NEAR(base.ladj.At(0), -std::log(3 * 0.5), 1e-12);
  ASSERT_EQ(base.layers.size(), 4u);
  EXPECT_EQ(base.layers.front(), Array::FromDoubles({1, 2}, std::vector<double>{1, 1}));
  EXPECT_EQ(base.layers.back(), base.values);
  const Images image = *flow->FromBase(base.values, KeepLayers::kYes);
  EXPECT_EQ(image.layers.back(), image.values);
  EXPECT_EQ(image.layers.front(), base.values);
}

TEST(Flow, ExtremePointsHaveNoDensityAndNoNan) {
  for (double bound : {0.0, 2.0}) {
    for (float factor : {1.f, 30.f}) {
      const auto flow = Make(Amplified(State(3, 8, bound), factor));
      const float big = std::numeric_limits<float>::max();
      const Array x = Array::FromFloats(
          {4, 3},
          std::vector<float>{big, big, big, -big, big, 0, 1e20f, -1e20f, 1e20f, 0, 0, -big});
      const Array log_prob = *flow->LogProb(x);
      for (int64_t i = 0; i < log_prob.size(); ++i) {
        EXPECT_EQ(log_prob.At(i), -kInfinity) << bound << " " << factor << " row " << i;
      }
      EXPECT_TRUE(flow->FromBase(x, KeepLayers::kYes).ok());
      const Samples samples = *flow->Sample(500, kSeed, 0);
      for (int64_t i = 0; i < 500; ++i) {
        const double value = samples.log_prob.At(i);
        EXPECT_TRUE(value < kInfinity) << value;
      }
    }
  }
}

TEST(Flow, SamplesAreTheSameBitsHoweverTheyAreCut) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (int64_t dim : {1, 2, 5, 16}) {
      const auto flow = Make(State(dim, 8, 2.0, dtype));
      const Samples whole = *flow->Sample(1500, kSeed, 0);
      for (const auto& [first, n] : std::vector<std::pair<int64_t, int64_t>>{
               {0, 1}, {7, 1}, {255, 2}, {1499, 1}, {3, 700}, {256, 256}, {1000, 500}}) {
        const Samples part = *flow->Sample(n, kSeed, first);
        EXPECT_EQ(part.x, whole.x.Rows(first, n)) << first << " " << n;
        EXPECT_EQ(part.log_prob, whole.log_prob.Rows(first, n)) << first << " " << n;
      }
    }
  }
}

TEST(Flow, SamplesAreTheImagesOfTheSeedsNormalRows) {
  const auto flow = Make(State(3, 4, 2.0, DType::kFloat64));
  Array z(DType::kFloat64, {300, 3});
  NormalRows(kSeed, Stream::kSample, 0, 100, 3, z.as<double>());
  const Samples samples = *flow->Sample(300, kSeed, 100);
  EXPECT_LT(LargestError(samples.x, flow->FromBase(z, KeepLayers::kNo)->values), 1e-13);
  EXPECT_LT(LargestError(samples.log_prob, *flow->LogProb(samples.x)), 1e-12);
}

TEST(Flow, ARowDoesNotFeelItsNeighbours) {
  const auto flow = Make(State(2, 8, 0));
  Array x(DType::kFloat32, {600, 2});
  NormalRows(kSeed, Stream::kEvaluate, 0, 0, 2, x.as<float>());
  const Array clean = *flow->LogProb(x);
  x.as<float>()[2 * 300] = 1e38f;
  const Array beside = *flow->LogProb(x);
  for (int64_t row : {0, 299, 301, 599}) EXPECT_EQ(beside.At(row), clean.At(row));
}

TEST(Flow, ComputesOnManyThreadsAtOnce) {
  const auto flow = Make(State(2, 8, 2.0));
  const Samples expected = *flow->Sample(600, kSeed, 0);
  std::vector<Samples> results(4);
  std::vector<std::thread> threads;
  for (Samples& result : results) {
    threads.emplace_back([&] { result = *flow->Sample(600, kSeed, 0); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Samples& result : results) EXPECT_EQ(result.x, expected.x);
}

// They were made of the numbers of the base of the other columns.
TEST(Flow, CirclesAreUniformWhateverTheBase) {
  FlowState state = State(2, 2, 0, DType::kFloat64);
  state.spec.architecture = Architecture::kNeuralSpline;
  state.spec.initialization = Initialization::kIdentity;
  state.spec.base = Base::kStudentT;
  state.spec.degrees_of_freedom = 1;
  state.spec.columns = {{.index = 1, .support = Support::kPeriodic, .low = 0, .high = 1}};
  state.parameters = InitialParameters(state.spec, kSeed);
  const Array x = Make(state)->Sample(20000, kSeed, 0)->x;
  double squares = 0;
  for (int64_t row = 0; row < x.rows(); ++row) {
    squares += std::pow(x.At(2 * row + 1) - 0.5, 2) / static_cast<double>(x.rows());
  }
  EXPECT_NEAR(squares, 1.0 / 12, 0.003);
}

TEST(Flow, NoRowsGiveNoRows) {
  const auto flow = Make(State(2, 3, 2.0));
  const Array none(DType::kFloat32, {0, 2});
  EXPECT_EQ(flow->LogProb(none)->shape(), std::vector<int64_t>{0});
  EXPECT_EQ(flow->Sample(0, kSeed, 5)->x.shape(), (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(flow->ToBase(none, KeepLayers::kYes)->layers.size(), 3u);
}

TEST(Flow, RefusesSampleRangesThatOverflow) {
  const auto flow = Make(State(2, 1, 2.0));
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(FieldOf(flow->Sample(-1, kSeed, 0).status()), "n");
  EXPECT_EQ(FieldOf(flow->Sample(1, kSeed, -1).status()), "first_row");
  EXPECT_EQ(FieldOf(flow->Sample(2, kSeed, kMost).status()), "first_row");
  EXPECT_EQ(FieldOf(flow->Sample(kMost, kSeed, 0).status()), "first_row");
  EXPECT_FALSE(flow->Sample(kMost / 2, kSeed, 0).ok());
}

TEST(Flow, RefusesStatesThatContradictThemselves) {
  auto field_of = [](FlowState state) {
    return FieldOf(Flow::Create(std::move(state)).status()).value_or("none");
  };
  FlowState state = State(2, 2, 2.0);
  state.spec.layers = 3;
  EXPECT_EQ(field_of(state), "parameters");
  state.spec.layers = 0;
  EXPECT_EQ(field_of(state), "spec.layers");
  state = State(2, 2, 2.0);
  state.spec.dtype = DType::kFloat64;
  EXPECT_EQ(field_of(state), "parameters");
  state = Amplified(State(2, 2, 2.0), std::numeric_limits<float>::infinity());
  EXPECT_EQ(field_of(state), "parameters");
  const std::vector<Standardization> unusable = {
      {{1}, {1}},        {{1, 2}, {1}},      {{}, {1, 1}},         {{1, 2}, {1, 0}},
      {{1, 2}, {1, -1}}, {{1, NAN}, {1, 1}}, {{1, 2}, {1, 1e-60}}, {{1, 2}, {1, 1e60}}};
  for (const Standardization& map : unusable) {
    state = State(2, 2, 2.0);
    state.standardization = map;
    EXPECT_EQ(field_of(state), "standardization");
  }
}

TEST(TorchSetup, NamesTheBlas) { EXPECT_NE(BlasName(), "unknown"); }

}  // namespace
}  // namespace sluiced::flows
