// Between Matrix and the wire's Tensor.
#pragma once

#include <cstdint>
#include <vector>

#include "sluice/result.h"
#include "sluice/types.h"
#include "sluice/v1/tensor.pb.h"

namespace sluice {

// INVALID_ARGUMENT naming `field` unless rows * cols numbers are there.
Status CheckMatrix(const std::string& field, const Matrix& matrix);

// How many rows make about `bytes` on the wire; at least 1, at most 65,536 so
// that one chunk is never long to compute either.
int64_t RowsPerChunk(const Matrix& matrix, int64_t bytes);
int64_t WireSize(const Matrix& matrix);

// Rows [first, first + count) of a matrix that CheckMatrix accepts.
void EncodeRows(const Matrix& matrix, int64_t first, int64_t count, v1::Tensor* tensor);

// Appends the rows of a [n, cols] tensor (a [n] tensor is [n, 1]) and returns n.
// The first rows set the columns and dtype of an empty matrix; INTERNAL when the
// tensor contradicts itself or the rows before it.
Result<int64_t> AppendRows(const v1::Tensor& tensor, Matrix* matrix);

// Appends the numbers of a [n] tensor; INTERNAL unless n is `expected`.
Status AppendVector(const v1::Tensor& tensor, int64_t expected, std::vector<double>* values);

}  // namespace sluice
