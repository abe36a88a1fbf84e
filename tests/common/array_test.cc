#include "server/common/array.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace sluiced {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

TEST(Array, ShapeAndBytesAgree) {
  const Array array(DType::kFloat64, {3, 2});
  EXPECT_EQ(array.size(), 6);
  EXPECT_EQ(array.rows(), 3);
  EXPECT_EQ(array.cols(), 2);
  EXPECT_EQ(array.bytes().size(), 48u);
  EXPECT_EQ(array.At(5), 0);
}

TEST(Array, EmptyOnesHaveShapesToo) {
  EXPECT_EQ(Array().rows(), 0);
  const Array none(DType::kFloat32, {0, 4});
  EXPECT_EQ(none.size(), 0);
  EXPECT_EQ(none.cols(), 4);
  const Array scalar(DType::kFloat32, {});
  EXPECT_EQ(scalar.size(), 1);
}

TEST(Array, ConvertsAndCutsRows) {
  const Array array = Array::FromDoubles({3, 2}, std::vector<double>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(array.Rows(1, 2), Array::FromDoubles({2, 2}, std::vector<double>{3, 4, 5, 6}));
  EXPECT_EQ(array.Rows(3, 0).shape(), (std::vector<int64_t>{0, 2}));
  const Array floats = array.To(DType::kFloat32);
  EXPECT_EQ(floats, Array::FromFloats({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(floats.To(DType::kFloat64), array);
  EXPECT_FALSE(floats == array);
}

TEST(Array, CheckedByteSizeRefusesWhatOverflows) {
  auto size = [](std::vector<int64_t> shape) { return CheckedByteSize(shape, DType::kFloat64); };
  EXPECT_EQ(*size({3, 5}), 120);
  EXPECT_EQ(*size({}), 8);
  EXPECT_EQ(*size({0, 5}), 0);
  EXPECT_FALSE(size({-1}).ok());
  EXPECT_FALSE(size({0, -1}).ok());
  EXPECT_FALSE(size({kMost}).ok());
  EXPECT_FALSE(size({int64_t{1} << 32, int64_t{1} << 32}).ok());
  EXPECT_EQ(size({kMost}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Array, DTypeNames) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64}) {
    EXPECT_EQ(DTypeFromName(NameOf(dtype)), dtype);
  }
  EXPECT_EQ(DTypeFromName("f64"), DType::kFloat64);
  EXPECT_EQ(DTypeFromName("int32"), std::nullopt);
}

TEST(ArrayDeathTest, DiesOnBrokenPromises) {
  EXPECT_DEATH(Array(DType::kFloat32, {-1}), "check failed");
  EXPECT_DEATH(Array(DType::kFloat32, {2}).as<double>(), "check failed");
  EXPECT_DEATH(Array(DType::kFloat32, {2, 2}).Rows(1, 2), "check failed");
}

}  // namespace
}  // namespace sluiced
