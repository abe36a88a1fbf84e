#include "server/common/array_parts.h"

#include <cstring>

#include "server/common/check.h"

namespace sluiced {
namespace {

int64_t ColumnsOf(const Array& table) { return table.shape().size() > 1 ? table.shape()[1] : 0; }

size_t RowBytes(const Array& table) {
  return static_cast<size_t>(ColumnsOf(table)) * SizeOf(table.dtype());
}

// Of no columns there is nothing, and no address to copy it from.
void CopyParts(const std::byte* from, size_t from_step, size_t bytes, size_t count, std::byte* to,
               size_t to_step) {
  if (bytes == 0) return;
  for (size_t i = 0; i < count; ++i) std::memcpy(to + i * to_step, from + i * from_step, bytes);
}

}  // namespace

void TakeRowsInto(const Array& from, std::span<const int64_t> rows, Array* to) {
  const std::vector<int64_t> shape = {static_cast<int64_t>(rows.size()), ColumnsOf(from)};
  if (to->shape() != shape || to->dtype() != from.dtype()) *to = Array(from.dtype(), shape);
  const size_t bytes = RowBytes(from);
  for (size_t i = 0; i < rows.size(); ++i) {
    CopyParts(from.bytes().data() + static_cast<size_t>(rows[i]) * bytes, bytes, bytes, 1,
              to->bytes().data() + i * bytes, bytes);
  }
}

Array TakeRows(const Array& from, std::span<const int64_t> rows) {
  Array taken;
  TakeRowsInto(from, rows, &taken);
  return taken;
}

Array TakeColumns(const Array& from, int64_t first, int64_t count) {
  SLUICED_CHECK(first >= 0 && count >= 0 && first + count <= ColumnsOf(from));
  Array taken(from.dtype(), {from.rows(), count});
  CopyParts(from.bytes().data() + static_cast<size_t>(first) * SizeOf(from.dtype()), RowBytes(from),
            RowBytes(taken), static_cast<size_t>(from.rows()), taken.bytes().data(),
            RowBytes(taken));
  return taken;
}

Array Beside(const Array& left, const Array& right) {
  if (ColumnsOf(right) == 0) return left;
  SLUICED_CHECK((right.rows() == left.rows() || right.rows() == 1) &&
                left.dtype() == right.dtype());
  Array both(left.dtype(), {left.rows(), ColumnsOf(left) + ColumnsOf(right)});
  const auto rows = static_cast<size_t>(left.rows());
  const size_t step = RowBytes(both), before = RowBytes(left), behind = RowBytes(right);
  if (rows == 0) return both;
  CopyParts(left.bytes().data(), before, before, rows, both.bytes().data(), step);
  CopyParts(right.bytes().data(), right.rows() == 1 ? 0 : behind, behind, rows,
            both.bytes().data() + before, step);
  return both;
}

Array WithoutColumn(const Array& from, int64_t column) {
  return Beside(TakeColumns(from, 0, column),
                TakeColumns(from, column + 1, ColumnsOf(from) - column - 1));
}

}  // namespace sluiced
