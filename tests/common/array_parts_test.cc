#include "server/common/array_parts.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluiced {
namespace {

Array Table(std::vector<int64_t> shape, std::vector<double> numbers) {
  return Array::FromDoubles(std::move(shape), numbers);
}

const Array kTable = Table({3, 2}, {1, 2, 3, 4, 5, 6});

TEST(TakeRows, InTheOrderAskedAndAsOften) {
  EXPECT_EQ(TakeRows(kTable, std::vector<int64_t>{2, 0, 2}), Table({3, 2}, {5, 6, 1, 2, 5, 6}));
  EXPECT_EQ(TakeRows(kTable, {}), Table({0, 2}, {}));
}

TEST(TakeRowsInto, MakesItsPlaceAnewWhereTheFormIsAnother) {
  Array to(DType::kFloat32, {1, 7});
  TakeRowsInto(kTable, std::vector<int64_t>{1}, &to);
  EXPECT_EQ(to, Table({1, 2}, {3, 4}));
  const std::byte* place = to.bytes().data();
  TakeRowsInto(kTable, std::vector<int64_t>{0}, &to);
  EXPECT_EQ(to, Table({1, 2}, {1, 2}));
  EXPECT_EQ(to.bytes().data(), place);
}

TEST(TakeColumns, AnyOfThemAndNone) {
  EXPECT_EQ(TakeColumns(kTable, 1, 1), Table({3, 1}, {2, 4, 6}));
  EXPECT_EQ(TakeColumns(kTable, 2, 0), Table({3, 0}, {}));
}

TEST(Beside, ARowForEachOneForAllAndNone) {
  EXPECT_EQ(Beside(kTable, Table({3, 1}, {7, 8, 9})), Table({3, 3}, {1, 2, 7, 3, 4, 8, 5, 6, 9}));
  EXPECT_EQ(Beside(kTable, Table({1, 1}, {7})), Table({3, 3}, {1, 2, 7, 3, 4, 7, 5, 6, 7}));
  EXPECT_EQ(Beside(kTable, Array()), kTable);
  EXPECT_EQ(Beside(Table({3, 0}, {}), kTable), kTable);
  EXPECT_EQ(Beside(Table({0, 2}, {}), Table({1, 1}, {7})), Table({0, 3}, {}));
}

TEST(ArrayParts, AColumnIsLeftOut) {
  const Array table = Array::FromDoubles({2, 3}, std::vector<double>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(WithoutColumn(table, 0), Array::FromDoubles({2, 2}, std::vector<double>{2, 3, 5, 6}));
  EXPECT_EQ(WithoutColumn(table, 2), Array::FromDoubles({2, 2}, std::vector<double>{1, 2, 4, 5}));
}

}  // namespace
}  // namespace sluiced
