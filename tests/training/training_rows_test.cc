#include "server/training/training_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "server/training/column_checks.h"
#include "tests/training/training_support.h"

namespace sluiced::training {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kRows = 300;

Array Normals(int64_t dim) { return NormalTable(kRows, dim); }

flows::FlowSpec SpecOf(int64_t dim) {
  flows::FlowSpec spec;
  spec.dim = dim;
  spec.architecture = flows::Architecture::kNeuralSpline;
  return spec;
}

// As a training that begins.
absl::StatusOr<TrainingRows> Checked(const flows::FlowSpec& spec, const TrainConfig& config,
                                     const Array& data, int64_t weight_column,
                                     const std::vector<std::string>& names) {
  auto rows = PrepareRows(spec, config, std::make_shared<const Array>(data), weight_column, names);
  if (!rows.ok()) return rows;
  const absl::Status status = CheckRows(spec, config, &*rows);
  if (!status.ok()) return status;
  return rows;
}

TrainConfig Choosing(Degenerate degenerate) {
  TrainConfig config;
  config.degenerate = degenerate;
  return config;
}

std::string ErrorOf(const flows::FlowSpec& spec, const Array& rows, TrainConfig config = {},
                    int64_t weight_column = -1) {
  const absl::Status status =
      Checked(spec, config, rows, weight_column, {"a", "b", "c", "d"}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(PrepareRows, SoundRowsComeAsTheyAre) {
  const auto rows = Checked(SpecOf(4), {}, Normals(4), -1, {});
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(*rows->data, Normals(4));
  EXPECT_THAT(rows->weights, IsEmpty());
  EXPECT_THAT(rows->notes, IsEmpty());
  EXPECT_EQ(rows->split.validation.size(), 30u);
}

TEST(PrepareRows, NamesTheColumnThatFollowsFromOthersAndTheRemedy) {
  Array data = Normals(4);
  auto x = data.as<double>();
  for (size_t row = 0; row < kRows; ++row) x[4 * row + 2] = 3 * x[4 * row] - 2 * x[4 * row + 1] + 1;
  const std::string error = ErrorOf(SpecOf(4), data);
  EXPECT_THAT(error, HasSubstr("column 2 ('c') follows linearly from the columns before it"));
  EXPECT_THAT(error, HasSubstr("drop it"));
  const auto allowed = Checked(SpecOf(4), Choosing(Degenerate::kAllow), data, -1, {});
  ASSERT_TRUE(allowed.ok()) << allowed.status();
  EXPECT_THAT(allowed->notes, Contains(HasSubstr("warning: column 2 follows linearly")));
}

TEST(PrepareRows, AColumnMayNotFollowFromItsContextButContextMayRepeat) {
  flows::FlowSpec spec = SpecOf(2);
  spec.context_dim = 2;
  Array data = Normals(4);
  auto x = data.as<double>();
  for (size_t row = 0; row < kRows; ++row) x[4 * row + 2] = static_cast<double>(row % 2);
  EXPECT_TRUE(Checked(spec, {}, data, -1, {}).ok());
  for (size_t row = 0; row < kRows; ++row) x[4 * row + 1] = 1 - x[4 * row + 3];
  EXPECT_THAT(ErrorOf(spec, data),
              HasSubstr("column 1 ('b') follows linearly from the context and the columns"));
}

TEST(PrepareRows, ConstantColumnsAreNamedWhateverIsAllowed) {
  Array data = Normals(3);
  for (size_t row = 0; row < kRows; ++row) data.as<double>()[3 * row + 1] = 5;
  for (const Degenerate choice :
       {Degenerate::kRefuse, Degenerate::kDequantize, Degenerate::kAllow}) {
    EXPECT_THAT(ErrorOf(SpecOf(3), data, Choosing(choice)),
                HasSubstr("column 1 ('b') is constant (5)"));
  }
}

TEST(PrepareRows, DiscreteColumnsAreRefusedOrDequantised) {
  Array data = Normals(2);
  auto x = data.as<double>();
  for (size_t row = 0; row < kRows; ++row) x[2 * row + 1] = 0.5 * static_cast<double>(row % 7);
  const std::string error = ErrorOf(SpecOf(2), data);
  EXPECT_THAT(error, HasSubstr("column 1 ('b') takes 7 distinct values in 270 rows"));
  EXPECT_THAT(error, HasSubstr("dequantise it"));
  const TrainConfig noisy = Choosing(Degenerate::kDequantize);
  const auto rows = Checked(SpecOf(2), noisy, data, -1, {});
  ASSERT_TRUE(rows.ok()) << rows.status();
  for (int64_t row = 0; row < kRows; ++row) {
    EXPECT_EQ(rows->data->At(2 * row), data.At(2 * row));
    const double noise = rows->data->At(2 * row + 1) - data.At(2 * row + 1);
    EXPECT_TRUE(noise > 0 && noise <= 0.5) << noise;
  }
  EXPECT_EQ(*Checked(SpecOf(2), noisy, data, -1, {})->data, *rows->data);
}

TEST(PrepareRows, ValuesOutsideOfTheirSupportAreNamed) {
  flows::FlowSpec spec = SpecOf(2);
  spec.columns = {{.index = 1, .support = flows::Support::kInterval, .low = -9, .high = 9}};
  Array data = Normals(2);
  EXPECT_TRUE(Checked(spec, {}, data, -1, {}).ok());
  data.as<double>()[2 * 17 + 1] = 9;
  EXPECT_THAT(ErrorOf(spec, data),
              HasSubstr("column 1 ('b') is 9 in row 17 (from 0), outside of its support, "
                        "interval [-9, 9]"));
}

TEST(PrepareRows, TakesTheWeightsOut) {
  Array data = Normals(3);
  auto x = data.as<double>();
  for (size_t row = 0; row < kRows; ++row) x[3 * row + 1] = static_cast<double>(row);
  const auto rows = Checked(SpecOf(2), {}, data, 1, {"a", "w", "c"});
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->names, (std::vector<std::string>{"a", "c"}));
  for (int64_t row = 0; row < kRows; ++row) {
    // Beside the greatest.
    EXPECT_DOUBLE_EQ(rows->weights[static_cast<size_t>(row)],
                     static_cast<double>(row) / (kRows - 1));
    EXPECT_EQ(rows->data->At(2 * row), data.At(3 * row));
    EXPECT_EQ(rows->data->At(2 * row + 1), data.At(3 * row + 2));
  }
  EXPECT_THAT(rows->notes, Contains(HasSubstr("270 training rows count as")));
  x[3 * 4 + 1] = -0.5;
  EXPECT_THAT(ErrorOf(SpecOf(2), data, {}, 1), HasSubstr("column 1 ('b') is -0.5 in row 4"));
  for (size_t row = 0; row < kRows; ++row) x[3 * row + 1] = 0;
  EXPECT_THAT(ErrorOf(SpecOf(2), data, {}, 1), HasSubstr("all weights"));
}

TEST(RepeatedRowsWarning, TellsOfRepeatedRows) {
  const std::vector<int64_t> one_row(kRows, 7);
  EXPECT_THAT(RepeatedRowsWarning(Normals(2), one_row), HasSubstr("distinct"));
}

}  // namespace
}  // namespace sluiced::training
