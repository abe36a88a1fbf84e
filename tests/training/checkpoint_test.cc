#include "server/training/checkpoint.h"

#include <gtest/gtest.h>

#include <string>

#include "server/common/philox.h"
#include "server/common/safetensors.h"
#include "server/flows/parameters.h"

namespace sluiced::training {
namespace {

Checkpoint Example(DType dtype) {
  Checkpoint checkpoint;
  checkpoint.spec.dim = 2;
  checkpoint.spec.layers = 2;
  checkpoint.spec.hidden = 4;
  checkpoint.spec.dtype = dtype;
  checkpoint.config.seed = 12345678901234567890u;
  checkpoint.standardization = {{0.1, -2.0 / 3}, {1e-9, 3}};
  checkpoint.counters.epoch = 7;
  checkpoint.now.updates = 140;
  checkpoint.before.updates = 120;
  checkpoint.counters.best_loss = 1.0 / 3;
  checkpoint.counters.seconds = 0.1 + 0.2;
  std::shared_ptr<const Array>* const arrays[] = {
      &checkpoint.now.parameters,      &checkpoint.now.first_moment,
      &checkpoint.now.second_moment,   &checkpoint.before.parameters,
      &checkpoint.before.first_moment, &checkpoint.before.second_moment,
      &checkpoint.best_parameters};
  uint64_t seed = 1;
  for (auto* array : arrays) {
    *array = std::make_shared<const Array>(flows::InitialParameters(checkpoint.spec, seed++));
  }
  return checkpoint;
}

void ExpectEqual(const Weights& a, const Weights& b) {
  EXPECT_EQ(*a.parameters, *b.parameters);
  EXPECT_EQ(*a.first_moment, *b.first_moment);
  EXPECT_EQ(*a.second_moment, *b.second_moment);
  EXPECT_EQ(a.updates, b.updates);
}

TEST(Checkpoint, RoundTripKeepsEveryBit) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
    const Checkpoint before = Example(dtype);
    const Checkpoint after = DecodeCheckpoint(EncodeCheckpoint(before)).value();
    EXPECT_EQ(after.spec, before.spec);
    EXPECT_EQ(after.config, before.config);
    EXPECT_EQ(after.standardization, before.standardization);
    EXPECT_EQ(after.counters, before.counters);
    EXPECT_EQ(after.counters.reference_loss, kNoLoss);
    ExpectEqual(after.now, before.now);
    ExpectEqual(after.before, before.before);
    EXPECT_EQ(*after.best_parameters, *before.best_parameters);
  }
}

// A job that was paused under an earlier version goes on under this one.
TEST(Checkpoint, FromBeforeTheStartsLossWasCounted) {
  Checkpoint before = Example(DType::kFloat32);
  before.counters.start_loss = 2;
  SafetensorsFile file = DecodeSafetensors(EncodeCheckpoint(before)).value();
  ASSERT_EQ(file.metadata.erase("start_loss"), 1u);
  const auto after = DecodeCheckpoint(EncodeSafetensors(file));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->counters.start_loss, kNoLoss);
  EXPECT_EQ(after->counters.epoch, before.counters.epoch);
}

TEST(Checkpoint, WithoutStandardization) {
  Checkpoint before = Example(DType::kFloat32);
  before.standardization = {};
  EXPECT_TRUE(DecodeCheckpoint(EncodeCheckpoint(before))->standardization.empty());
}

TEST(Checkpoint, EveryTruncationIsAnError) {
  const std::string whole = EncodeCheckpoint(Example(DType::kFloat32));
  for (size_t size = 0; size < whole.size(); size += 7) {
    EXPECT_EQ(DecodeCheckpoint(whole.substr(0, size)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST(Checkpoint, NoFlippedByteKillsTheProcess) {
  const std::string whole = EncodeCheckpoint(Example(DType::kFloat32));
  PhiloxReader random(1, Stream::kGenerate);
  for (int i = 0; i < 3000; ++i) {
    std::string broken = whole;
    broken[random.Below(std::min<size_t>(broken.size(), 2500))] ^=
        static_cast<char>(1 + random.Below(255));
    const auto decoded = DecodeCheckpoint(broken);
    if (decoded.ok()) {
      EXPECT_EQ(decoded->now.parameters->size(), ParameterCount(decoded->spec));
    }
  }
}

TEST(Checkpoint, PartsThatDoNotFitAreErrors) {
  Checkpoint wrong_size = Example(DType::kFloat32);
  wrong_size.now.first_moment =
      std::make_shared<const Array>(DType::kFloat32, std::vector<int64_t>{3});
  EXPECT_FALSE(DecodeCheckpoint(EncodeCheckpoint(wrong_size)).ok());
  Checkpoint wrong_type = Example(DType::kFloat32);
  wrong_type.best_parameters =
      std::make_shared<const Array>(wrong_type.best_parameters->To(DType::kFloat64));
  EXPECT_FALSE(DecodeCheckpoint(EncodeCheckpoint(wrong_type)).ok());
  Checkpoint wrong_columns = Example(DType::kFloat32);
  wrong_columns.standardization.shift = {1};
  wrong_columns.standardization.scale = {1};
  EXPECT_FALSE(DecodeCheckpoint(EncodeCheckpoint(wrong_columns)).ok());
}

}  // namespace
}  // namespace sluiced::training
