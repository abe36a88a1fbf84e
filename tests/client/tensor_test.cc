#include "client/src/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice {
namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

TEST(Tensor, RowsSurviveTheRoundTripInBothDtypes) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    const double tiny = dtype == DType::kFloat64 ? 1e-300 : 0x1p-149;
    const Matrix rows{3, 2, {0.5, -INFINITY, tiny, -0.0, 1e30f, NAN}, dtype};
    Matrix back;
    v1::Tensor tensor;
    for (int64_t first = 0; first < 3; ++first) {
      EncodeRows(rows, first, 1, &tensor);
      ASSERT_EQ(*AppendRows(tensor, &back), 1);
    }
    EXPECT_EQ(back.rows, 3);
    EXPECT_EQ(back.cols, 2);
    EXPECT_EQ(back.dtype, dtype);
    for (size_t i = 0; i + 1 < rows.values.size(); ++i) EXPECT_EQ(back.values[i], rows.values[i]);
    EXPECT_TRUE(std::isnan(back.values[5]));
  }
}

TEST(Tensor, MatricesThatLieAboutTheirSizeAreRefused) {
  const std::vector<double> four = {1, 2, 3, 4};
  EXPECT_TRUE(CheckMatrix("x", {2, 2, four, DType::kFloat32}).ok());
  EXPECT_TRUE(CheckMatrix("x", {0, 2, {}, DType::kFloat32}).ok());
  const Matrix wrong[] = {{2, 3, four, DType::kFloat32},
                          {-2, -2, four, DType::kFloat32},
                          {kHuge, kHuge, four, DType::kFloat32},
                          {int64_t{1} << 32, int64_t{1} << 32, {}, DType::kFloat32}};
  for (const Matrix& matrix : wrong) {
    const Status status = CheckMatrix("x", matrix);
    EXPECT_EQ(status.code, Code::kInvalidArgument);
    EXPECT_EQ(status.field, "x");
  }
}

TEST(Tensor, ChunksAreBounded) {
  const auto rows_per_chunk = [](int64_t cols, DType dtype) {
    return RowsPerChunk(Matrix{0, cols, {}, dtype}, 1 << 20);
  };
  EXPECT_EQ(rows_per_chunk(1024, DType::kFloat32), 256);
  EXPECT_EQ(rows_per_chunk(1024, DType::kFloat64), 128);
  EXPECT_EQ(rows_per_chunk(1, DType::kFloat32), 65536);
  EXPECT_EQ(rows_per_chunk(0, DType::kFloat32), 65536);
  EXPECT_EQ(rows_per_chunk(kHuge, DType::kFloat64), 1);
}

v1::Tensor Reply(std::vector<int64_t> shape, size_t bytes) {
  v1::Tensor tensor;
  tensor.mutable_shape()->Assign(shape.begin(), shape.end());
  tensor.set_data(std::string(bytes, '\0'));
  return tensor;
}

TEST(Tensor, RepliesThatContradictThemselvesAreErrors) {
  const v1::Tensor wrong[] = {Reply({2, 2}, 15),        Reply({2, 2}, 12), Reply({-1, -4}, 16),
                              Reply({kHuge, kHuge}, 4), Reply({}, 4),      Reply({1, 2, 2}, 16),
                              Reply({kHuge, 0}, 4)};
  for (const v1::Tensor& tensor : wrong) {
    Matrix matrix;
    EXPECT_EQ(AppendRows(tensor, &matrix).status().code, Code::kInternal)
        << tensor.ShortDebugString();
    EXPECT_TRUE(matrix.values.empty());
  }
  Matrix two_columns{1, 2, {1, 2}, DType::kFloat32};
  EXPECT_FALSE(AppendRows(Reply({1, 3}, 12), &two_columns).ok());
  std::vector<double> values;
  EXPECT_FALSE(AppendVector(Reply({3}, 12), 4, &values).ok());
}

TEST(Tensor, NumbersWrittenByHandAreRead) {
  v1::Tensor tensor = Reply({2}, 0);
  tensor.add_values(1.5);
  tensor.add_values(2.5);
  std::vector<double> values;
  ASSERT_TRUE(AppendVector(tensor, 2, &values).ok());
  EXPECT_EQ(values, (std::vector<double>{1.5, 2.5}));
}

}  // namespace
}  // namespace sluice
