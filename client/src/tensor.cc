#include "client/src/tensor.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "client/src/status.h"

namespace sluice {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire's numbers are little-endian");

int64_t SizeOf(DType dtype) { return dtype == DType::kFloat64 ? 8 : 4; }

template <typename T>
void EncodeNumbers(const double* values, size_t count, std::string* data) {
  data->resize(count * sizeof(T));
  char* out = data->data();
  for (size_t i = 0; i < count; ++i, out += sizeof(T)) {
    const T number = static_cast<T>(values[i]);
    std::memcpy(out, &number, sizeof(T));
  }
}

template <typename T>
void AppendNumbers(const std::string& data, std::vector<double>* values) {
  for (size_t offset = 0; offset < data.size(); offset += sizeof(T)) {
    T number;
    std::memcpy(&number, data.data() + offset, sizeof(T));
    values->push_back(static_cast<double>(number));
  }
}

DType DTypeOf(const v1::Tensor& tensor) {
  return tensor.dtype() == v1::DTYPE_FLOAT64 ? DType::kFloat64 : DType::kFloat32;
}

// Numbers that the tensor really holds.
int64_t HeldNumbers(const v1::Tensor& tensor) {
  if (tensor.values_size() > 0) return tensor.values_size();
  return static_cast<int64_t>(tensor.data().size()) / SizeOf(DTypeOf(tensor));
}

Status CheckTensor(const v1::Tensor& tensor) {
  const bool whole = tensor.data().size() % static_cast<size_t>(SizeOf(DTypeOf(tensor))) == 0;
  if (!whole || (tensor.values_size() > 0 && !tensor.data().empty())) {
    return MalformedReply("a tensor's data is of no whole size");
  }
  int64_t count = 1;
  for (const int64_t extent : tensor.shape()) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) {
      return MalformedReply("a tensor's shape is impossible");
    }
  }
  if (count != HeldNumbers(tensor)) return MalformedReply("a tensor's shape and size disagree");
  return Status{};
}

void AppendAll(const v1::Tensor& tensor, std::vector<double>* values) {
  if (tensor.values_size() > 0) {
    values->insert(values->end(), tensor.values().begin(), tensor.values().end());
  } else if (DTypeOf(tensor) == DType::kFloat64) {
    AppendNumbers<double>(tensor.data(), values);
  } else {
    AppendNumbers<float>(tensor.data(), values);
  }
}

}  // namespace

Status CheckMatrix(const std::string& field, const Matrix& matrix) {
  int64_t count = 0;
  if (matrix.rows < 0 || matrix.cols < 0 ||
      __builtin_mul_overflow(matrix.rows, matrix.cols, &count) ||
      static_cast<uint64_t>(count) != matrix.values.size()) {
    return InvalidField(field, "a matrix of " + std::to_string(matrix.rows) + " x " +
                                   std::to_string(matrix.cols) + " cannot hold " +
                                   std::to_string(matrix.values.size()) + " numbers");
  }
  return Status{};
}

int64_t WireSize(const Matrix& matrix) {
  return static_cast<int64_t>(matrix.values.size()) * SizeOf(matrix.dtype);
}

int64_t RowsPerChunk(const Matrix& matrix, int64_t bytes) {
  constexpr int64_t kMostRows = 65536;
  const int64_t fitting = bytes / SizeOf(matrix.dtype) / std::max<int64_t>(matrix.cols, 1);
  return std::clamp<int64_t>(fitting, 1, kMostRows);
}

void EncodeRows(const Matrix& matrix, int64_t first, int64_t count, v1::Tensor* tensor) {
  tensor->Clear();
  tensor->add_shape(count);
  tensor->add_shape(matrix.cols);
  const double* values = matrix.values.data() + first * matrix.cols;
  const auto numbers = static_cast<size_t>(count * matrix.cols);
  if (matrix.dtype == DType::kFloat64) {
    tensor->set_dtype(v1::DTYPE_FLOAT64);
    EncodeNumbers<double>(values, numbers, tensor->mutable_data());
  } else {
    tensor->set_dtype(v1::DTYPE_FLOAT32);
    EncodeNumbers<float>(values, numbers, tensor->mutable_data());
  }
}

Result<int64_t> AppendRows(const v1::Tensor& tensor, Matrix* matrix) {
  if (Status status = CheckTensor(tensor); !status.ok()) return status;
  if (tensor.shape_size() < 1 || tensor.shape_size() > 2) {
    return MalformedReply("rows of a tensor that is no matrix");
  }
  const int64_t cols = tensor.shape_size() == 2 ? tensor.shape(1) : 1;
  if (matrix->rows == 0) {
    matrix->cols = cols;
    matrix->dtype = DTypeOf(tensor);
  } else if (matrix->cols != cols) {
    return MalformedReply("the number of columns changed in mid-stream");
  }
  AppendAll(tensor, &matrix->values);
  matrix->rows += tensor.shape(0);
  return int64_t{tensor.shape(0)};
}

Status AppendVector(const v1::Tensor& tensor, int64_t expected, std::vector<double>* values) {
  if (Status status = CheckTensor(tensor); !status.ok()) return status;
  if (HeldNumbers(tensor) != expected) {
    return MalformedReply(std::to_string(HeldNumbers(tensor)) + " numbers for " +
                          std::to_string(expected) + " rows");
  }
  AppendAll(tensor, values);
  return Status{};
}

}  // namespace sluice
