// Array: a dense row-major array of float32 or float64 that owns its numbers.
// The one type that rows, images, parameters and results travel in between the
// parts of the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced {

enum class DType { kFloat32, kFloat64 };

size_t SizeOf(DType dtype);                                  // Bytes of one number.
absl::string_view NameOf(DType dtype);                       // "float32", "float64"
std::optional<DType> DTypeFromName(absl::string_view name);  // Also "f32", "f64".

// Regular value type; const access from many threads is safe. `shape` and the
// number of bytes always agree.
class Array {
 public:
  Array() = default;  // Shape [0], float32.

  // All zero. Dies on a negative or overflowing shape: check those of strangers
  // with CheckedByteSize first.
  Array(DType dtype, std::vector<int64_t> shape);

  static Array FromFloats(std::vector<int64_t> shape, std::span<const float> values);
  static Array FromDoubles(std::vector<int64_t> shape, std::span<const double> values);

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  int64_t size() const { return size_; }  // Numbers in all.
  int64_t rows() const { return shape_.empty() ? 1 : shape_[0]; }
  int64_t cols() const {
    return rows() == 0 ? (shape_.size() > 1 ? shape_[1] : 1) : size_ / rows();
  }

  std::span<std::byte> bytes() { return bytes_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  // T must be the dtype's own type (float or double): checked.
  template <typename T>
  std::span<T> as();
  template <typename T>
  std::span<const T> as() const;

  double At(int64_t index) const;  // Flat index, either dtype.

  Array To(DType dtype) const;  // Converted copy; a plain copy for the same dtype.
  // Rows [first, first + count) of axis 0.
  Array Rows(int64_t first, int64_t count) const;

  friend bool operator==(const Array&, const Array&) = default;

 private:
  DType dtype_ = DType::kFloat32;
  std::vector<int64_t> shape_ = {0};
  int64_t size_ = 0;
  std::vector<std::byte> bytes_;
};

// Bytes of an array of this shape. INVALID_ARGUMENT for a negative extent or a
// product that overflows int64.
absl::StatusOr<int64_t> CheckedByteSize(std::span<const int64_t> shape, DType dtype);

}  // namespace sluiced
