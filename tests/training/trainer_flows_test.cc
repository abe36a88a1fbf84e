// Trainings of every architecture, of pairs, of weighted rows, and of mixed objectives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "server/flows/spec_names.h"
#include "tests/training/training_support.h"

namespace sluiced::training {
namespace {

using testing::HasSubstr;

TrainInput Begin(const flows::FlowSpec& spec, int64_t epochs) {
  TrainInput input = OnRows(epochs);
  input.start = {spec, flows::InitialParameters(spec, 1), {}};
  return input;
}

flows::FlowSpec SpecOf(flows::Architecture architecture, int64_t dim = 2) {
  flows::FlowSpec spec = SmallSpec(dim);
  spec.architecture = architecture;
  return spec;
}

double LossOf(const TrainInput& input, const char* metric = "validation_loss") {
  const auto outcome = Train(input, {});
  EXPECT_TRUE(outcome.ok()) << outcome.status();
  return outcome.ok() ? outcome->metrics.at(metric) : NAN;
}

class Architectures : public testing::TestWithParam<flows::Architecture> {};

INSTANTIATE_TEST_SUITE_P(All, Architectures, testing::ValuesIn(flows::AllArchitectures()),
                         [](const auto& run) {
                           std::string name(flows::NameOf(run.param));
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(Architectures, LearnRows) {
  const TrainInput input = Begin(SpecOf(GetParam()), 15);
  const TrainInput untrained = Begin(SpecOf(GetParam()), 1);
  EXPECT_LT(LossOf(input), LossOf(untrained) - 0.1);
}

TEST_P(Architectures, LearnATarget) {
  TrainInput input = OnTarget("two-moons", 15);
  input.start.spec = SpecOf(GetParam());
  input.start.parameters = flows::InitialParameters(input.start.spec, 1);
  TrainInput untrained = input;
  untrained.config.epochs = 1;
  EXPECT_LT(LossOf(input, "kl"), LossOf(untrained, "kl") - 0.1);
}

// x given c is N(2 c, 0.5^2): its mean log-density is known.
TEST_P(Architectures, LearnPairs) {
  flows::FlowSpec spec = SpecOf(GetParam(), 1);
  spec.context_dim = 1;
  TrainInput input = Begin(spec, 40);
  Array pairs(DType::kFloat32, {2000, 2});
  NormalRows<float>(5, Stream::kGenerate, 0, 0, 2, pairs.as<float>());
  auto numbers = pairs.as<float>();
  for (size_t i = 0; i < numbers.size(); i += 2)
    numbers[i] = 2 * numbers[i + 1] + 0.5f * numbers[i];
  input.rows = std::make_shared<Array>(pairs);
  const double entropy = 0.5 * std::log(2 * M_PI * std::exp(1) * 0.25);
  const double loss = LossOf(input);
  EXPECT_GT(loss, entropy - 0.15);
  EXPECT_LT(loss, entropy + 0.15);
}

TEST(Weights, TheLossIsTheWeightedMean) {
  TrainInput input = OnRows(3);
  Array rows(DType::kFloat32, {600, 3});
  for (size_t row = 0; row < 600; ++row) {
    rows.as<float>()[3 * row] = input.rows->as<float>()[2 * row];
    rows.as<float>()[3 * row + 1] = input.rows->as<float>()[2 * row + 1];
    rows.as<float>()[3 * row + 2] = row % 3 == 0 ? 0 : static_cast<float>(row % 5);
  }
  // Where no weight is, nothing is seen.
  rows.as<float>()[0] = 1e30f;
  input.rows = std::make_shared<Array>(rows);
  input.weight_column = 2;
  input.config.validation_fraction = 0;
  input.start.spec.standardize = false;
  input.start.spec.dtype = DType::kFloat64;
  input.start.parameters = flows::InitialParameters(input.start.spec, 1);
  const auto outcome = Train(input, {});
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  const auto flow = flows::Flow::Create(outcome->state).value();
  double sum = 0, weights = 0;
  for (int64_t row = 1; row < 600; ++row) {
    const double weight = rows.At(3 * row + 2);
    const std::vector<double> x = {rows.At(3 * row), rows.At(3 * row + 1)};
    if (weight > 0) sum -= weight * flow->LogProb(Array::FromDoubles({1, 2}, x))->At(0);
    weights += weight;
  }
  EXPECT_NEAR(outcome->metrics.at("train_loss"), sum / weights, 1e-9 * std::abs(sum / weights));
}

TEST(Mixed, FitsRowsAndTarget) {
  TrainInput input = OnTarget("two-moons", 120);
  const auto rows = std::make_shared<Array>(DType::kFloat32, std::vector<int64_t>{400, 2});
  NormalRows<float>(5, Stream::kGenerate, 0, 0, 2, rows->as<float>());
  input.rows = rows;
  input.start.spec.standardize = false;
  input.config.target_weight = 0.1;
  const auto rows_first = Train(input, {});
  ASSERT_TRUE(rows_first.ok()) << rows_first.status();
  input.config.target_weight = 0.9;
  const auto target_first = Train(input, {});
  ASSERT_TRUE(target_first.ok()) << target_first.status();
  EXPECT_LT(target_first->metrics.at("kl"), rows_first->metrics.at("kl") - 0.5);
  EXPECT_GT(target_first->metrics.at("train_loss"), rows_first->metrics.at("train_loss") + 0.1);
}

TEST(Annealing, RisesToOne) {
  TrainConfig config;
  config.epochs = 10;
  EXPECT_EQ(AnnealingAt(config, 0), 1);
  config.anneal_from = 0.2;
  EXPECT_DOUBLE_EQ(AnnealingAt(config, 0), 0.2);
  EXPECT_DOUBLE_EQ(AnnealingAt(config, 5), 1);
  EXPECT_DOUBLE_EQ(AnnealingAt(config, 9), 1);
  config.anneal_epochs = 8;
  EXPECT_DOUBLE_EQ(AnnealingAt(config, 4), 0.6);
  const auto message_of = [](double from, int64_t epochs) {
    TrainInput input = OnTarget("ring", 1);
    input.config.anneal_from = from;
    input.config.anneal_epochs = epochs;
    return std::string(Train(input, {}).status().message());
  };
  EXPECT_THAT(message_of(0, 0), HasSubstr("anneal_from"));
  EXPECT_THAT(message_of(1, 5), HasSubstr("anneal_epochs"));
}

TEST(Targets, HaveNoContext) {
  TrainInput input = OnTarget("two-moons", 1);
  input.start.spec.context_dim = 1;
  input.start.parameters = flows::InitialParameters(input.start.spec, 1);
  EXPECT_THAT(std::string(Train(input, {}).status().message()), HasSubstr("target"));
}

}  // namespace
}  // namespace sluiced::training
