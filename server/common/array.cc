#include "server/common/array.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/common/check.h"

namespace sluiced {

size_t SizeOf(DType dtype) { return dtype == DType::kFloat32 ? sizeof(float) : sizeof(double); }

absl::string_view NameOf(DType dtype) { return dtype == DType::kFloat32 ? "float32" : "float64"; }

std::optional<DType> DTypeFromName(absl::string_view name) {
  if (name == "float32" || name == "f32") return DType::kFloat32;
  if (name == "float64" || name == "f64") return DType::kFloat64;
  return std::nullopt;
}

template <>
std::span<float> Array::as<float>() {
  SLUICED_CHECK(dtype_ == DType::kFloat32);
  return {reinterpret_cast<float*>(bytes_.data()), static_cast<size_t>(size_)};
}
template <>
std::span<double> Array::as<double>() {
  SLUICED_CHECK(dtype_ == DType::kFloat64);
  return {reinterpret_cast<double*>(bytes_.data()), static_cast<size_t>(size_)};
}
template <>
std::span<const float> Array::as<float>() const {
  SLUICED_CHECK(dtype_ == DType::kFloat32);
  return {reinterpret_cast<const float*>(bytes_.data()), static_cast<size_t>(size_)};
}
template <>
std::span<const double> Array::as<double>() const {
  SLUICED_CHECK(dtype_ == DType::kFloat64);
  return {reinterpret_cast<const double*>(bytes_.data()), static_cast<size_t>(size_)};
}

Array::Array(DType dtype, std::vector<int64_t> shape) : dtype_(dtype), shape_(std::move(shape)) {
  auto bytes = CheckedByteSize(shape_, dtype_);
  SLUICED_CHECK(bytes.ok());
  bytes_.resize(static_cast<size_t>(*bytes));
  size_ = *bytes / static_cast<int64_t>(SizeOf(dtype_));
}

Array Array::FromFloats(std::vector<int64_t> shape, std::span<const float> values) {
  Array array(DType::kFloat32, std::move(shape));
  SLUICED_CHECK(array.size() == static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), array.as<float>().begin());
  return array;
}

Array Array::FromDoubles(std::vector<int64_t> shape, std::span<const double> values) {
  Array array(DType::kFloat64, std::move(shape));
  SLUICED_CHECK(array.size() == static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), array.as<double>().begin());
  return array;
}

double Array::At(int64_t index) const {
  const auto i = static_cast<size_t>(index);
  return dtype_ == DType::kFloat32 ? as<float>()[i] : as<double>()[i];
}

Array Array::To(DType dtype) const {
  if (dtype == dtype_) return *this;
  Array out(dtype, shape_);
  if (dtype == DType::kFloat32) {
    std::ranges::transform(as<double>(), out.as<float>().begin(),
                           [](double v) { return static_cast<float>(v); });
  } else {
    std::ranges::copy(as<float>(), out.as<double>().begin());
  }
  return out;
}

Array Array::Rows(int64_t first, int64_t count) const {
  SLUICED_CHECK(first >= 0 && count >= 0 && first + count <= rows());
  std::vector<int64_t> shape = shape_;
  shape[0] = count;
  Array out(dtype_, std::move(shape));
  const size_t row_bytes = static_cast<size_t>(cols()) * SizeOf(dtype_);
  // Of no columns there is nothing, and no address to copy it from.
  if (!out.bytes_.empty()) {
    std::memcpy(out.bytes_.data(), bytes_.data() + static_cast<size_t>(first) * row_bytes,
                static_cast<size_t>(count) * row_bytes);
  }
  return out;
}

absl::StatusOr<int64_t> CheckedByteSize(std::span<const int64_t> shape, DType dtype) {
  int64_t bytes = static_cast<int64_t>(SizeOf(dtype));
  for (int64_t extent : shape) {
    if (extent < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape [", absl::StrJoin(shape, ", "), "] has a negative extent"));
    }
    if (__builtin_mul_overflow(bytes, extent, &bytes)) {
      return absl::InvalidArgumentError(
          absl::StrCat("shape [", absl::StrJoin(shape, ", "), "] overflows"));
    }
  }
  return bytes;
}

}  // namespace sluiced
