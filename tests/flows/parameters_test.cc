#include "server/flows/parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sluiced::flows {
namespace {

FlowSpec Spec() {
  FlowSpec spec;
  spec.dim = 3;
  spec.layers = 2;
  spec.hidden = 5;
  spec.depth = 2;
  spec.initialization = Initialization::kUniform;
  return spec;
}

TEST(Parameters, LayoutHasTheSeedsNamesAndCoversTheBuffer) {
  for (int64_t depth : {1, 2, 4}) {
    FlowSpec spec = Spec();
    spec.depth = depth;
    int64_t end = 0;
    for (const ParameterSlice& slice : ParameterLayout(spec)) {
      EXPECT_EQ(slice.offset, end) << slice.name;
      int64_t size = 1;
      for (int64_t extent : slice.shape) size *= extent;
      EXPECT_EQ(slice.size, size) << slice.name;
      end += slice.size;
    }
    EXPECT_EQ(end, ParameterCount(spec));
  }
  const std::vector<ParameterSlice> layout = ParameterLayout(Spec());
  ASSERT_EQ(layout.size(), 24u);
  EXPECT_EQ(layout[0].name, "layers.0.sequential_scale_nn.0.weight");
  EXPECT_EQ(layout[0].shape, (std::vector<int64_t>{5, 3}));
  EXPECT_EQ(layout[5].name, "layers.0.sequential_scale_nn.4.bias");
  EXPECT_EQ(layout[5].shape, (std::vector<int64_t>{3}));
  EXPECT_EQ(layout[6].name, "layers.0.sequential_shift_nn.0.weight");
  EXPECT_EQ(layout[23].name, "layers.1.sequential_shift_nn.4.bias");
}

TEST(Parameters, UniformStaysWithinItsBoundsAndFillsThem) {
  FlowSpec spec = Spec();
  spec.hidden = 40;
  const Array parameters = InitialParameters(spec, 1);
  for (const ParameterSlice& slice : ParameterLayout(spec)) {
    const bool first = slice.name.find("_nn.0.") != std::string::npos;
    const double bound = 1 / std::sqrt(first ? 3.0 : 40.0);
    const auto values = parameters.as<float>().subspan(static_cast<size_t>(slice.offset),
                                                       static_cast<size_t>(slice.size));
    const auto [least, most] = std::ranges::minmax(values);
    EXPECT_GE(least, -bound) << slice.name;
    EXPECT_LE(most, bound) << slice.name;
    if (slice.size < 100) continue;
    EXPECT_GT(most - least, 1.8 * bound) << slice.name;
  }
}

TEST(Parameters, IdentityZeroesTheLastMapOnly) {
  FlowSpec spec = Spec();
  const Array uniform = InitialParameters(spec, 1);
  spec.initialization = Initialization::kIdentity;
  const Array identity = InitialParameters(spec, 1);
  for (const ParameterSlice& slice : ParameterLayout(spec)) {
    const bool last = slice.name.find("_nn.4.") != std::string::npos;
    for (int64_t i = slice.offset; i < slice.offset + slice.size; ++i) {
      EXPECT_EQ(identity.At(i), last ? 0 : uniform.At(i)) << slice.name;
    }
  }
}

TEST(Parameters, AreAFunctionOfSpecAndSeed) {
  FlowSpec spec = Spec();
  const Array one = InitialParameters(spec, 1);
  EXPECT_EQ(InitialParameters(spec, 1), one);
  EXPECT_FALSE(InitialParameters(spec, 2) == one);
  spec.dtype = DType::kFloat64;
  EXPECT_EQ(InitialParameters(spec, 1).To(DType::kFloat32), one);
}

TEST(Parameters, MasksAlternate) {
  FlowSpec spec = Spec();
  EXPECT_EQ(ConditioningMask(spec, 0), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(ConditioningMask(spec, 1), (std::vector<bool>{false, true, true}));
  EXPECT_EQ(ConditioningMask(spec, 2), ConditioningMask(spec, 0));
  spec.dim = 1;
  EXPECT_EQ(ConditioningMask(spec, 0), std::vector<bool>{false});
  EXPECT_EQ(ConditioningMask(spec, 1), std::vector<bool>{true});
}

}  // namespace
}  // namespace sluiced::flows
