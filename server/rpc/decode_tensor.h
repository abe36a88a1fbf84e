// Arrays of strangers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/common/array.h"
#include "sluice/v1/tensor.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

// Sizes are checked before anything is allocated or read. INVALID_ARGUMENT naming
// `field` or a part of it ("x.shape").
absl::StatusOr<Array> DecodeTensor(absl::string_view field, const v1::Tensor& tensor);

// float32 where it is not said.
absl::StatusOr<DType> DecodeDType(absl::string_view field, v1::DType dtype);

// What rows must be.
struct RowForm {
  int64_t dim;
  DType dtype;
  int64_t max_rows;
  int64_t context_dim = 0;
};
// [n, dim + context_dim] of finite numbers, converted to the form's dtype.
// INVALID_ARGUMENT naming the row and column of one that is not finite, or not in that
// dtype; RESOURCE_EXHAUSTED for too many rows.
absl::StatusOr<Array> DecodeRows(absl::string_view field, const v1::Tensor& tensor,
                                 const RowForm& form);
// The same where the context may stand apart: each row of `context`, unless that is null,
// goes behind its row of `tensor`, or its one row behind all.
absl::StatusOr<Array> DecodeRows(absl::string_view field, const v1::Tensor& tensor,
                                 const v1::Tensor* context, const RowForm& form);

// The context of `rows` draws, [rows, context_dim] or [1, context_dim]; null without
// context. INVALID_ARGUMENT naming "context" where the model takes none or asks for it.
absl::StatusOr<std::shared_ptr<const Array>> DecodeContext(const v1::Tensor* context, int64_t rows,
                                                           const RowForm& form);

// The same of rows that were decoded otherwise; `shape` and `numbers` are the fields that
// errors name.
absl::StatusOr<Array> CheckRows(Array rows, const RowForm& form, absl::string_view shape,
                                absl::string_view numbers);

// The extents as a shape that an array can have; INVALID_ARGUMENT naming `field`.
absl::StatusOr<std::vector<int64_t>> DecodeShape(absl::string_view field,
                                                 std::span<const int64_t> extents, DType dtype);

// "float32 of shape [3, 2]"
std::string FormText(std::span<const int64_t> shape, DType dtype);

// How many rows the sender says there are: for the log only.
int64_t ClaimedRows(const v1::Tensor& tensor);

}  // namespace sluiced::rpc
