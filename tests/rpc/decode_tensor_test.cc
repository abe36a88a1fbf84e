#include "server/rpc/decode_tensor.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/common/errors.h"
#include "server/rpc/encode_tensor.h"

namespace sluiced::rpc {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

v1::Tensor Tensor(std::vector<int64_t> shape, v1::DType dtype, size_t bytes,
                  std::vector<double> values = {}) {
  v1::Tensor tensor;
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_dtype(dtype);
  tensor.set_data(std::string(bytes, '\0'));
  tensor.mutable_values()->Add(values.begin(), values.end());
  return tensor;
}

struct BadTensor {
  const char* name;
  v1::Tensor tensor;
  const char* field;
};

class BadTensors : public ::testing::TestWithParam<BadTensor> {};

TEST_P(BadTensors, AreRefusedNamingTheField) {
  const auto decoded = DecodeTensor("x", GetParam().tensor);
  ASSERT_TRUE(absl::IsInvalidArgument(decoded.status())) << decoded.status();
  EXPECT_EQ(FieldOf(decoded.status()), GetParam().field) << decoded.status();
}

const auto kF32 = v1::DTYPE_FLOAT32;
const auto kF64 = v1::DTYPE_FLOAT64;

INSTANTIATE_TEST_SUITE_P(
    Table, BadTensors,
    ::testing::Values(BadTensor{"negative", Tensor({-1, 2}, kF32, 8), "x.shape"},
                      BadTensor{"two_negatives", Tensor({-2, -2}, kF32, 16), "x.shape"},
                      BadTensor{"overflow", Tensor({kHuge, kHuge}, kF32, 4), "x.shape"},
                      BadTensor{"overflow_to_small",
                                Tensor({int64_t{1} << 32, int64_t{1} << 32}, kF32, 0), "x.shape"},
                      BadTensor{"overflow_in_bytes", Tensor({kHuge / 4, 2}, kF64, 16), "x.shape"},
                      BadTensor{"huge", Tensor({int64_t{1} << 50, 2}, kF32, 8), "x.data"},
                      BadTensor{"axes", Tensor(std::vector<int64_t>(9, 1), kF32, 4), "x.shape"},
                      BadTensor{"truncated", Tensor({3, 2}, kF32, 23), "x.data"},
                      BadTensor{"too_long", Tensor({3, 2}, kF32, 25), "x.data"},
                      BadTensor{"wrong_dtype", Tensor({3, 2}, kF64, 24), "x.data"},
                      BadTensor{"missing", Tensor({3, 2}, kF32, 0), "x.data"},
                      BadTensor{"both", Tensor({1, 2}, kF32, 8, {1, 2}), "x"},
                      BadTensor{"few_values", Tensor({1, 2}, kF32, 0, {1}), "x.values"},
                      BadTensor{"unknown_dtype", Tensor({1, 2}, static_cast<v1::DType>(77), 8),
                                "x.dtype"}),
    [](const auto& test) { return test.param.name; });

TEST(DecodeTensor, IsTheInverseOfEncodeTensor) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const std::vector<int64_t>& shape :
         std::vector<std::vector<int64_t>>{{0}, {0, 3}, {4}, {2, 3}, {2, 1, 3}}) {
      Array array(dtype, shape);
      for (size_t i = 0; i < array.bytes().size(); ++i) array.bytes()[i] = std::byte(i % 60);
      v1::Tensor tensor;
      EncodeTensor(array, &tensor);
      const auto decoded = DecodeTensor("x", tensor);
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      EXPECT_EQ(*decoded, array);
    }
  }
}

TEST(DecodeRows, TakesValuesInPlaceOfData) {
  const auto rows =
      DecodeRows("x", Tensor({2, 2}, kF32, 0, {1, 2, 3, 4.5}), {2, DType::kFloat64, 10});
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->dtype(), DType::kFloat64);
  EXPECT_EQ(rows->At(3), 4.5);
}

TEST(DecodeRows, NamesRowAndColumnOfWhatIsNotFinite) {
  for (const double bad : {double{NAN}, HUGE_VAL, -HUGE_VAL}) {
    const auto rows =
        DecodeRows("x", Tensor({2, 2}, kF64, 0, {1, 2, bad, 4}), {2, DType::kFloat64, 10});
    EXPECT_EQ(FieldOf(rows.status()), "x.values");
    EXPECT_THAT(std::string(rows.status().message()), HasSubstr("row 1, column 0"));
  }
}

TEST(DecodeRows, RefusesNumbersThatTheModelCannotHold) {
  const auto rows = DecodeRows("x", Tensor({1, 2}, kF64, 0, {1, 1e300}), {2, DType::kFloat32, 10});
  EXPECT_THAT(std::string(rows.status().message()), HasSubstr("row 0, column 1"));
  EXPECT_THAT(std::string(rows.status().message()), HasSubstr("float32"));
}

TEST(DecodeRows, RefusesOtherShapesAndTooManyRows) {
  const RowForm form{2, DType::kFloat32, 10};
  EXPECT_EQ(FieldOf(DecodeRows("x", Tensor({2, 3}, kF32, 24), form).status()), "x.shape");
  EXPECT_EQ(FieldOf(DecodeRows("x", Tensor({2}, kF32, 8), form).status()), "x.shape");
  EXPECT_EQ(FieldOf(DecodeRows("x", Tensor({kHuge, 0}, kF32, 0), form).status()), "x.shape");
  EXPECT_TRUE(absl::IsResourceExhausted(DecodeRows("x", Tensor({11, 2}, kF32, 88), form).status()));
  EXPECT_TRUE(DecodeRows("x", Tensor({10, 2}, kF32, 80), form).ok());
  EXPECT_TRUE(DecodeRows("x", Tensor({0, 2}, kF32, 0), form).ok());
}

}  // namespace
}  // namespace sluiced::rpc
