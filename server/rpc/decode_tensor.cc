#include "server/rpc/decode_tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "server/common/array_parts.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"

namespace sluiced::rpc {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire's numbers are little-endian");

constexpr size_t kMaxAxes = 8;

template <typename T>
void FillFromValues(const v1::Tensor& tensor, std::span<T> out) {
  std::transform(tensor.values().begin(), tensor.values().end(), out.begin(),
                 [](double value) { return static_cast<T>(value); });
}

absl::Status CheckCount(absl::string_view field, const v1::Tensor& tensor,
                        const std::vector<int64_t>& shape, DType dtype) {
  if (!tensor.data().empty() && tensor.values_size() > 0) {
    return FieldError(field, "has both data and values; exactly one is meant");
  }
  ASSIGN_OR_RETURN(const int64_t bytes, CheckedByteSize(shape, dtype));
  const int64_t count = bytes / static_cast<int64_t>(SizeOf(dtype));
  if (tensor.values_size() > 0 && tensor.values_size() != count) {
    return FieldError(
        absl::StrCat(field, ".values"),
        absl::StrCat(tensor.values_size(), " numbers; ", FormText(shape, dtype), " needs ", count));
  }
  if (tensor.values_size() == 0 && tensor.data().size() != static_cast<size_t>(bytes)) {
    return FieldError(
        absl::StrCat(field, ".data"),
        absl::StrCat(tensor.data().size(), " bytes; ", FormText(shape, dtype), " needs ", bytes));
  }
  return absl::OkStatus();
}

// The first that is not finite; their number when all are.
template <typename T>
int64_t FirstNotFinite(std::span<const T> numbers) {
  const auto found = std::find_if_not(numbers.begin(), numbers.end(),
                                      [](T number) { return std::isfinite(number); });
  return found - numbers.begin();
}

absl::Status CheckFinite(absl::string_view field, const Array& rows, absl::string_view what) {
  const int64_t i = rows.dtype() == DType::kFloat32 ? FirstNotFinite(rows.as<float>())
                                                    : FirstNotFinite(rows.as<double>());
  if (i == rows.size()) return absl::OkStatus();
  return FieldError(field, absl::StrCat("row ", i / rows.cols(), ", column ", i % rows.cols(),
                                        " (from 0) is ", what));
}

}  // namespace

std::string FormText(std::span<const int64_t> shape, DType dtype) {
  return absl::StrCat(NameOf(dtype), " of shape [", absl::StrJoin(shape, ", "), "]");
}

absl::StatusOr<std::vector<int64_t>> DecodeShape(absl::string_view field,
                                                 std::span<const int64_t> extents, DType dtype) {
  if (extents.size() > kMaxAxes) {
    return FieldError(field, absl::StrCat(extents.size(), " axes; at most ", kMaxAxes));
  }
  std::vector<int64_t> shape(extents.begin(), extents.end());
  const auto bytes = CheckedByteSize(shape, dtype);
  if (!bytes.ok()) {
    return FieldError(field, absl::StrCat("[", absl::StrJoin(shape, ", "),
                                          "] is no possible shape: ", bytes.status().message()));
  }
  return shape;
}

absl::StatusOr<DType> DecodeDType(absl::string_view field, v1::DType dtype) {
  switch (dtype) {
    case v1::DTYPE_UNSPECIFIED:
    case v1::DTYPE_FLOAT32:
      return DType::kFloat32;
    case v1::DTYPE_FLOAT64:
      return DType::kFloat64;
    default:
      return FieldError(field, absl::StrCat(static_cast<int>(dtype), " is no known dtype"));
  }
}

absl::StatusOr<Array> DecodeTensor(absl::string_view field, const v1::Tensor& tensor) {
  ASSIGN_OR_RETURN(const DType dtype, DecodeDType(absl::StrCat(field, ".dtype"), tensor.dtype()));
  const std::span<const int64_t> extents(tensor.shape().data(),
                                         static_cast<size_t>(tensor.shape_size()));
  ASSIGN_OR_RETURN(std::vector<int64_t> shape,
                   DecodeShape(absl::StrCat(field, ".shape"), extents, dtype));
  RETURN_IF_ERROR(CheckCount(field, tensor, shape, dtype));
  Array array(dtype, std::move(shape));
  if (tensor.values_size() == 0) {
    std::copy_n(reinterpret_cast<const std::byte*>(tensor.data().data()), tensor.data().size(),
                array.bytes().begin());
  } else if (dtype == DType::kFloat32) {
    FillFromValues(tensor, array.as<float>());
  } else {
    FillFromValues(tensor, array.as<double>());
  }
  return array;
}

absl::StatusOr<Array> CheckRows(Array rows, const RowForm& form, absl::string_view shape,
                                absl::string_view numbers) {
  const int64_t columns = form.dim + form.context_dim;
  if (rows.shape().size() != 2 || rows.shape()[1] != columns) {
    return FieldError(
        shape, absl::StrCat("[", absl::StrJoin(rows.shape(), ", "), "] is not [n, ", columns, "]",
                            form.context_dim > 0 ? ", x with its context behind it" : ""));
  }
  if (rows.rows() > form.max_rows) {
    return Exhausted(absl::StrCat(shape, ": ", rows.rows(), " rows; at most ", form.max_rows,
                                  " in one message, any number in a stream of them"),
                     absl::ZeroDuration());
  }
  RETURN_IF_ERROR(CheckFinite(numbers, rows, "not finite"));
  if (rows.dtype() == form.dtype) return rows;
  Array converted = rows.To(form.dtype);
  RETURN_IF_ERROR(
      CheckFinite(numbers, converted, absl::StrCat("not finite as ", NameOf(form.dtype))));
  return converted;
}

absl::StatusOr<Array> DecodeRows(absl::string_view field, const v1::Tensor& tensor,
                                 const RowForm& form) {
  ASSIGN_OR_RETURN(Array rows, DecodeTensor(field, tensor));
  return CheckRows(std::move(rows), form, absl::StrCat(field, ".shape"),
                   absl::StrCat(field, tensor.values_size() > 0 ? ".values" : ".data"));
}

absl::StatusOr<Array> DecodeRows(absl::string_view field, const v1::Tensor& tensor,
                                 const v1::Tensor* context, const RowForm& form) {
  if (context == nullptr) return DecodeRows(field, tensor, form);
  ASSIGN_OR_RETURN(const Array rows,
                   DecodeRows(field, tensor, {form.dim, form.dtype, form.max_rows}));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Array> behind,
                   DecodeContext(context, rows.rows(), form));
  return Beside(rows, *behind);
}

absl::StatusOr<std::shared_ptr<const Array>> DecodeContext(const v1::Tensor* context, int64_t rows,
                                                           const RowForm& form) {
  if (context == nullptr && form.context_dim == 0) return nullptr;
  if (context == nullptr) {
    return FieldError("context", absl::StrCat("is missing: the model is conditional on ",
                                              form.context_dim, " numbers"));
  }
  if (form.context_dim == 0) return FieldError("context", "the model takes none");
  ASSIGN_OR_RETURN(Array decoded, DecodeTensor("context", *context));
  const RowForm of_context = {form.context_dim, form.dtype, form.max_rows};
  ASSIGN_OR_RETURN(Array array,
                   CheckRows(std::move(decoded), of_context, "context.shape",
                             context->values_size() > 0 ? "context.values" : "context.data"));
  if (array.rows() != rows && array.rows() != 1) {
    return FieldError("context.shape", absl::StrCat(array.rows(), " rows for ", rows,
                                                    "; one for each, or one for all"));
  }
  return std::make_shared<const Array>(std::move(array));
}

int64_t ClaimedRows(const v1::Tensor& tensor) {
  return tensor.shape_size() > 0 ? tensor.shape(0) : 0;
}

}  // namespace sluiced::rpc
