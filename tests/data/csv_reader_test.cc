#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "server/common/errors.h"
#include "server/data/readers.h"

namespace sluiced::data {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

struct Good {
  std::string name, text;
  std::vector<std::string> columns;
  std::vector<int64_t> shape;
  std::vector<double> numbers;
};

class GoodCsv : public ::testing::TestWithParam<Good> {};

TEST_P(GoodCsv, IsRead) {
  const auto table = ReadCsv(GetParam().text);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->column_names, GetParam().columns);
  EXPECT_EQ(table->rows.shape(), GetParam().shape);
  EXPECT_THAT(table->rows.as<double>(), ElementsAreArray(GetParam().numbers));
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodCsv,
    ::testing::Values(
        Good{"Plain", "1,2\n3,4\n", {}, {2, 2}, {1, 2, 3, 4}},
        Good{"Header", "x,y\n1,2\n", {"x", "y"}, {1, 2}, {1, 2}},
        Good{"NoEndOfLastLine", "1\n2", {}, {2, 1}, {1, 2}},
        Good{"WindowsEnds", "x;y\r\n1;2\r\n\r\n3;4\r\n", {"x", "y"}, {2, 2}, {1, 2, 3, 4}},
        Good{"OldMacEnds", "1,2\r3,4\r", {}, {2, 2}, {1, 2, 3, 4}},
        Good{"BlankLines", "\n\n1,2\n  \n3,4\n\n", {}, {2, 2}, {1, 2, 3, 4}},
        Good{"Tabs", "a\tb\n1\t-2\n", {"a", "b"}, {1, 2}, {1, -2}},
        Good{"Space", " 1 , 2 \n 3 ,4\n", {}, {2, 2}, {1, 2, 3, 4}},
        Good{"ByteOrderMark",
             "\xef\xbb\xbf"
             "1,2\n",
             {},
             {1, 2},
             {1, 2}},
        Good{"Quotes",
             "\"a,b\",\"say \"\"c\"\"\"\n\"1\",\" 2 \"\n",
             {"a,b", "say \"c\""},
             {1, 2},
             {1, 2}},
        Good{"QuoteWithinAName", "5\" disc,y\n1,2\n", {"5\" disc", "y"}, {1, 2}, {1, 2}},
        Good{"UnnamedIndex", ",x\n0,5\n", {"", "x"}, {1, 2}, {0, 5}},
        Good{"Forms", "1e3,+2,-.5,1E-2\n", {}, {1, 4}, {1000, 2, -0.5, 0.01}},
        Good{"TooSmallIsZero", "1e-999,1e-310\n", {}, {1, 2}, {0, 1e-310}}),
    [](const auto& param) { return param.param.name; });

struct Bad {
  std::string name, text, error;
};

class BadCsv : public ::testing::TestWithParam<Bad> {};

TEST_P(BadCsv, IsRefusedSayingWhere) {
  const absl::Status status = ReadCsv(GetParam().text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_TRUE(FieldOf(status).has_value());
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadCsv,
    ::testing::Values(
        Bad{"Empty", "", "empty"}, Bad{"Blank", " \n\r\n", "empty"},
        Bad{"HeaderAlone", "x,y\n", "no rows"},
        Bad{"Text", "x,y\n1,2\n3,four\n", "line 3, column 2: 'four' is no number"},
        Bad{"TextOnFirstLine", "1,2,x\n1,2,3\n", "line 1, column 3: 'x' is no number"},
        Bad{"Missing", "1,2\n3,\n", "line 2, column 2: a number is missing"},
        Bad{"MissingOnFirstLine", ",\n1,2\n", "line 1, column 1"},
        Bad{"TooFew", "1,2\n\n3\n", "line 3: 1 fields where the first line has 2"},
        Bad{"TooMany", "1,2\n3,4,5\n", "line 2: more fields than the 2"},
        Bad{"NaN", "1,2\n3,nan\n", "line 2, column 2: 'nan' is not finite"},
        Bad{"Infinity", "-inf\n", "line 1, column 1"},
        Bad{"TooLarge", "1e999\n", "line 1, column 1: '1e999' is not finite"},
        Bad{"Hexadecimal", "1\n0x10\n", "line 2"}, Bad{"TwoSigns", "1\n+-1\n", "line 2"},
        Bad{"DecimalCommas", "x;y\n1,5;2\n", "line 2, column 1: '1,5'"},
        Bad{"OpenQuote", "1,2\n\"3,4\n", "line 2, column 1: a quote is not closed"},
        Bad{"TextAfterQuote", "\"1\"2,3\n", "text after a closed quote"},
        Bad{"Binary", std::string("1,2\n\0\xff,3\n", 9), "line 2, column 1: '\\x00\\xff'"}),
    [](const auto& param) { return param.param.name; });

TEST(Csv, ReadsEveryDoubleBackExactly) {
  const auto table = ReadCsv("0.1\n1.7976931348623157e308\n4.9406564584124654e-324\n");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->rows.as<double>(),
              ElementsAreArray({0.1, std::numeric_limits<double>::max(),
                                std::numeric_limits<double>::denorm_min()}));
}

TEST(Csv, RefusesMillionsOfColumnsEarly) {
  std::string header;
  for (int i = 0; i < 3'000'000; ++i) header += "a,";
  EXPECT_THAT(std::string(ReadCsv(header).status().message()), HasSubstr("too many columns"));
}

}  // namespace
}  // namespace sluiced::data
