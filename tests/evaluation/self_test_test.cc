// Every flow of the table keeps the laws; flows that are broken on purpose do not.
#include "server/evaluation/self_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/evaluation/evaluation_support.h"
#include "tests/flows/law_cases.h"

namespace sluiced::evaluation {
namespace {

class SelfTest : public testing::TestWithParam<flows::LawCase> {};

// In two dims, where every law is measured.
std::vector<flows::LawCase> Cases() {
  std::vector<flows::LawCase> cases;
  for (flows::LawCase& one : flows::LawCases()) {
    if (one.spec.dim == 2) cases.push_back(std::move(one));
  }
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Table, SelfTest, testing::ValuesIn(Cases()),
                         [](const auto& run) { return run.param.name; });

TEST_P(SelfTest, KeepsTheLaws) {
  const flows::LawCase& one = GetParam();
  const auto flow =
      flows::Flow::Create({one.spec, flows::LawParameters(one.spec), one.standardization});
  ASSERT_TRUE(flow.ok()) << flow.status();
  const auto laws = TestFlow(**flow, 400, 1, Forever);
  ASSERT_TRUE(laws.ok()) << laws.status();
  EXPECT_EQ(laws->size(), 8U);
  for (const Law& law : *laws) {
    EXPECT_TRUE(law.kept()) << law.name << ": " << law.measured << " > " << law.tolerance << "; "
                            << law.description;
  }
}

// A flow with one thing wrong.
class Broken : public flows::Flow {
 public:
  enum class What { kLogProb, kLogDet, kSample, kInverse, kSeed, kNan };
  Broken(std::shared_ptr<const flows::Flow> flow, What what)
      : flow_(std::move(flow)), what_(what) {}

  const flows::FlowState& state() const override { return flow_->state(); }
  absl::StatusOr<flows::Images> ToBase(const Array& x, flows::KeepLayers keep) const override {
    auto images = flow_->ToBase(x, keep);
    if (what_ == What::kLogDet) Add(0.05, &images->ladj);
    return images;
  }
  absl::StatusOr<flows::Images> FromBase(const Array& z, flows::KeepLayers keep) const override {
    auto images = flow_->FromBase(z, keep);
    if (what_ == What::kInverse) Add(0.05, &images->values);
    return images;
  }
  absl::StatusOr<Array> LogProb(const Array& x) const override {
    auto scores = flow_->LogProb(x);
    if (what_ == What::kLogProb) Add(0.1, &*scores);
    return scores;
  }
  absl::StatusOr<flows::Samples> Sample(int64_t n, uint64_t seed, int64_t first_row,
                                        const Array& context) const override {
    auto samples = flow_->Sample(n, what_ == What::kSeed ? seed + n : seed, first_row, context);
    if (what_ == What::kSample) Add(0.2, &samples->x);
    for (size_t i = 0; what_ == What::kNan && i < 9; ++i) samples->log_prob.as<double>()[i] = NAN;
    return samples;
  }

 private:
  static void Add(double what, Array* to) {
    for (double& v : to->as<double>()) v += what;
  }

  const std::shared_ptr<const flows::Flow> flow_;
  const What what_;
};

std::set<std::string> BrokenLaws(Broken::What what) {
  const auto flow = std::make_shared<Broken>(NormalFlow({1, 2}, {1, 0.5}), what);
  const auto laws = TestFlow(*flow, 5000, 1, Forever);
  EXPECT_TRUE(laws.ok());
  std::set<std::string> broken;
  for (const Law& law : *laws) {
    if (!law.kept()) broken.insert(law.name);
  }
  return broken;
}

TEST(BrokenFlow, IsFoundOut) {
  using What = Broken::What;
  EXPECT_EQ(BrokenLaws(What::kLogProb),
            (std::set<std::string>{"score_of_draws", "reference", "integral"}));
  EXPECT_TRUE(BrokenLaws(What::kLogDet).contains("log_det"));
  EXPECT_TRUE(BrokenLaws(What::kInverse).contains("round_trip"));
  EXPECT_TRUE(BrokenLaws(What::kSample).contains("base"));
  EXPECT_TRUE(BrokenLaws(What::kSeed).contains("repeatable"));
  EXPECT_TRUE(BrokenLaws(What::kNan).contains("finite_rows"));
}

TEST(BrokenFlow, EndsWhenNobodyWaits) {
  const auto left =
      TestFlow(*NormalFlow({1}, {1}), 5000, 1, [] { return absl::CancelledError("gone"); });
  EXPECT_EQ(left.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace sluiced::evaluation
