// The same flow on either executor.
#include "server/models/engine_flow.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>

#include "server/common/errors.h"
#include "server/flows/parameters.h"

namespace sluiced::models {
namespace {

using FlowPtr = std::shared_ptr<const flows::Flow>;

class EachDType : public testing::TestWithParam<DType> {
 protected:
  FlowPtr On(flows::Executor executor) {
    flows::FlowState state;
    state.spec.dim = 3;
    state.spec.dtype = GetParam();
    state.spec.initialization = flows::Initialization::kUniform;
    state.spec.executor = executor;
    state.parameters = flows::InitialParameters(state.spec, 4);
    state.standardization = {{1, 2, 3}, {0.5, 1, 2}};
    return MakeFlow(std::move(state)).value();
  }

  void ExpectNear(const Array& a, const Array& b) {
    ASSERT_EQ(a.shape(), b.shape());
    ASSERT_EQ(a.dtype(), b.dtype());
    const double tolerance = GetParam() == DType::kFloat32 ? 1e-5 : 1e-12;
    for (int64_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(a.At(i), b.At(i), tolerance * (1 + std::abs(b.At(i)))) << i;
    }
  }

  const FlowPtr engine_ = On(flows::Executor::kEngine);
  const FlowPtr torch_ = On(flows::Executor::kTorch);
};
INSTANTIATE_TEST_SUITE_P(DTypes, EachDType, testing::Values(DType::kFloat32, DType::kFloat64),
                         [](const auto& test) { return std::string(NameOf(test.param)); });

TEST_P(EachDType, BothGiveTheSameNumbers) {
  const flows::Samples samples = engine_->Sample(100, 7, 3).value();
  const flows::Samples expected = torch_->Sample(100, 7, 3).value();
  ExpectNear(samples.x, expected.x);
  ExpectNear(samples.log_prob, expected.log_prob);
  ExpectNear(*engine_->LogProb(samples.x), *torch_->LogProb(samples.x));
  for (flows::KeepLayers keep : {flows::KeepLayers::kNo, flows::KeepLayers::kYes}) {
    const flows::Images z = engine_->ToBase(samples.x, keep).value();
    const flows::Images wanted = torch_->ToBase(samples.x, keep).value();
    ExpectNear(z.values, wanted.values);
    ExpectNear(z.ladj, wanted.ladj);
    EXPECT_EQ(z.layers.size(), wanted.layers.size());
    const flows::Images x = engine_->FromBase(z.values, keep).value();
    ExpectNear(x.values, samples.x);
    ExpectNear(x.ladj, torch_->FromBase(z.values, keep)->ladj);
  }
}

TEST_P(EachDType, SampleRowsAreTheSameWhateverTheChunk) {
  const flows::Samples whole = engine_->Sample(90, 7, 0).value();
  const flows::Samples part = engine_->Sample(13, 7, 41).value();
  EXPECT_EQ(part.x, whole.x.Rows(41, 13));
  EXPECT_EQ(part.log_prob, whole.log_prob.Rows(41, 13));
}

TEST_P(EachDType, ScoresAreTheSameInEveryBatch) {
  const Array x = engine_->Sample(300, 7, 0)->x;
  const Array together = engine_->LogProb(x).value();
  int64_t first = 0;
  for (int64_t rows : {1, 2, 7, 23, 24, 25, 96, 97}) {
    EXPECT_EQ(*engine_->LogProb(x.Rows(first, rows)), together.Rows(first, rows)) << rows;
    first += rows;
  }
}

TEST_P(EachDType, BothRefuseTheSame) {
  for (const FlowPtr& flow : {engine_, torch_}) {
    EXPECT_EQ(FieldOf(flow->Sample(-1, 1, 0).status()).value_or("none"), "n");
    EXPECT_EQ(FieldOf(flow->Sample(1, 1, INT64_MAX).status()).value_or("none"), "first_row");
  }
}

TEST(MakeFlow, RefusesWhatContradictsItself) {
  flows::FlowState state;
  state.spec.dim = 2;
  state.parameters = Array(DType::kFloat32, {3});
  EXPECT_EQ(FieldOf(MakeFlow(std::move(state)).status()).value_or("none"), "parameters");
}

// Of malloc, whoever asks: LibTorch's tensors included.
int64_t BytesInUse() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

// How much making a flow allocates, in sizes of its parameters, which it is given.
double GrowthOf(flows::Executor executor) {
  flows::FlowState state;
  state.spec.dim = 64;
  state.spec.hidden = 512;
  state.spec.executor = executor;
  state.parameters = flows::InitialParameters(state.spec, 4);
  const auto size = static_cast<double>(state.parameters.bytes().size());
  const int64_t before = BytesInUse();
  const FlowPtr flow = MakeFlow(std::move(state)).value();
  const auto grown = static_cast<double>(BytesInUse() - before);
  EXPECT_EQ(flow->state().spec.dim, 64);
  return grown / size;
}

TEST(MakeFlow, LibTorchReadsTheParametersWhereTheyAre) {
  EXPECT_LT(GrowthOf(flows::Executor::kTorch), 0.1);
}

TEST(MakeFlow, TheEngineHoldsOneCopyOfItsOwn) {
  EXPECT_LT(GrowthOf(flows::Executor::kEngine), 1.1);
}

}  // namespace
}  // namespace sluiced::models
