// Rows and columns of tables [n, columns], taken apart and put together.
#pragma once

#include <cstdint>
#include <span>

#include "server/common/array.h"

namespace sluiced {

// The numbered rows, in that order.
Array TakeRows(const Array& from, std::span<const int64_t> rows);
// The same into `to`, which is made anew only where its form is another.
void TakeRowsInto(const Array& from, std::span<const int64_t> rows, Array* to);

// Columns [first, first + count).
Array TakeColumns(const Array& from, int64_t first, int64_t count);

Array WithoutColumn(const Array& from, int64_t column);

// [n, a + b] of [n, a] and [n, b], of one dtype; a `right` of one row goes behind every
// row. Without columns on the right: `left` itself.
Array Beside(const Array& left, const Array& right);

}  // namespace sluiced
