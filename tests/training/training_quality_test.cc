// The seed's own recipe and architecture, shortened: it learns and never explodes.
// tests/bench/quality.cc prints the whole table.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "server/training/checkpoint.h"
#include "tests/training/training_support.h"

namespace sluiced::training {
namespace {

// The float32 rows of tests/data/NAME, two columns: a .npy file of version 1.0.
std::shared_ptr<Array> Rows(const std::string& name) {
  std::ifstream file(std::string(SLUICE_TEST_DATA "/") + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const size_t header = 10 + static_cast<unsigned char>(bytes[8]) +
                        256 * static_cast<size_t>(static_cast<unsigned char>(bytes[9]));
  const auto rows = static_cast<int64_t>((bytes.size() - header) / (2 * sizeof(float)));
  auto array = std::make_shared<Array>(DType::kFloat32, std::vector<int64_t>{rows, 2});
  std::memcpy(array->bytes().data(), bytes.data() + header, array->bytes().size());
  return array;
}

class SeedRecipe : public testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, SeedRecipe, testing::Values(0, 2));

TEST_P(SeedRecipe, LearnsWowWithoutExploding) {
  TrainInput input;
  flows::FlowSpec& spec = input.start.spec;
  spec.dim = 2;
  spec.scale_bound = 0;
  spec.standardize = false;
  spec.initialization = flows::Initialization::kUniform;
  input.start.parameters = flows::InitialParameters(spec, GetParam());
  input.rows = Rows("wow.npy");
  input.config.epochs = 150;
  input.config.validation_fraction = 0;
  input.config.seed = GetParam();
  Recorder recorder;
  const auto outcome = Train(input, recorder.callbacks());
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_LT(outcome->metrics.at("train_loss"), 3.3);
  EXPECT_GT(outcome->metrics.at("train_loss"), 2.79);  // The data's entropy.
  // The means of whole epochs; the first starts at about 6 nats.
  for (const Progress& progress : recorder.epochs) {
    EXPECT_LT(*progress.train_loss, progress.epoch > 5 ? 4 : 10) << progress.epoch;
  }
  EXPECT_EQ(DecodeCheckpoint(outcome->last_checkpoint)->counters.skipped, 0);
}

}  // namespace
}  // namespace sluiced::training
