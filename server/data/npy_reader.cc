#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/data/readers.h"

namespace sluiced::data {
namespace {

// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicBytes = 6;
constexpr size_t kMaxHeaderBytes = 64 * 1024;

absl::Status Malformed(absl::string_view what) {
  return FieldError("chunk", absl::StrCat(".npy: ", what));
}

struct Header {
  char order = '<';
  char kind = 'f';
  size_t item_bytes = 0;
  bool fortran_order = false;
  int64_t rows = 0, columns = 1;
  absl::string_view data;
};

// The text behind "'key':" in the header's Python dict literal.
absl::StatusOr<absl::string_view> ValueOf(absl::string_view dict, absl::string_view key) {
  const size_t at = dict.find(absl::StrCat("'", key, "'"));
  if (at == absl::string_view::npos) return Malformed(absl::StrCat("header has no '", key, "'"));
  absl::string_view rest = dict.substr(at + key.size() + 2);
  rest = absl::StripLeadingAsciiWhitespace(rest);
  if (!absl::ConsumePrefix(&rest, ":")) return Malformed("header is no dict");
  return absl::StripLeadingAsciiWhitespace(rest);
}

absl::Status ReadDescr(absl::string_view dict, Header* header) {
  ASSIGN_OR_RETURN(absl::string_view value, ValueOf(dict, "descr"));
  if (value.empty() || (value[0] != '\'' && value[0] != '"')) {
    return Malformed("structured arrays are no rows of numbers");
  }
  const absl::string_view descr = value.substr(1, value.find(value[0], 1) - 1);
  if (descr.size() < 3 || !absl::StrContains("<>|=", descr.substr(0, 1)) ||
      !absl::SimpleAtoi(descr.substr(2), &header->item_bytes)) {
    return Malformed(absl::StrCat("dtype '", absl::CHexEscape(descr.substr(0, 20)),
                                  "' is not one of real numbers"));
  }
  header->order = descr[0];
  header->kind = descr[1];
  const size_t n = header->item_bytes;
  const bool whole = header->kind == 'i' || header->kind == 'u';
  const bool known = (header->kind == 'f' && (n == 2 || n == 4 || n == 8)) ||
                     (whole && (n == 1 || n == 2 || n == 4 || n == 8)) ||
                     (header->kind == 'b' && n == 1);
  if (known) return absl::OkStatus();
  return Malformed(absl::StrCat("dtype '", absl::CHexEscape(descr.substr(0, 20)),
                                "' is not one of real numbers of 1 to 8 bytes"));
}

absl::Status ReadShape(absl::string_view dict, Header* header) {
  ASSIGN_OR_RETURN(absl::string_view value, ValueOf(dict, "shape"));
  const size_t close = value.find(')');
  if (value.empty() || value[0] != '(' || close == absl::string_view::npos) {
    return Malformed("shape is no tuple");
  }
  std::vector<int64_t> shape;
  for (absl::string_view part : absl::StrSplit(value.substr(1, close - 1), ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (part.empty()) continue;
    int64_t extent = 0;
    if (!absl::SimpleAtoi(part, &extent) || extent < 0) return Malformed("shape is no tuple");
    shape.push_back(extent);
  }
  if (shape.empty() || shape.size() > 2) {
    return Malformed(absl::StrCat("has ", shape.size(), " dimensions; rows need 1 or 2"));
  }
  header->rows = shape[0];
  if (shape.size() == 2) header->columns = shape[1];
  return absl::OkStatus();
}

absl::StatusOr<Header> ReadHeader(absl::string_view bytes) {
  if (!absl::StartsWith(bytes, kMagic) || bytes.size() < kMagicBytes + 4) {
    return Malformed("does not begin as a .npy file");
  }
  const char version = bytes[kMagicBytes];
  if (version < 1 || version > 3) return Malformed("unknown format version");
  const size_t length_bytes = version == 1 ? 2 : 4;
  const size_t start = kMagicBytes + 2 + length_bytes;
  if (bytes.size() < start) return Malformed("is cut off in its header");
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + kMagicBytes + 2, length_bytes);
  if (length > kMaxHeaderBytes || bytes.size() - start < length) {
    return Malformed("is cut off in its header");
  }
  const absl::string_view dict = bytes.substr(start, length);
  Header header;
  header.data = bytes.substr(start + length);
  RETURN_IF_ERROR(ReadDescr(dict, &header));
  RETURN_IF_ERROR(ReadShape(dict, &header));
  ASSIGN_OR_RETURN(absl::string_view fortran, ValueOf(dict, "fortran_order"));
  header.fortran_order = absl::StartsWith(fortran, "True");
  return header;
}

// IEEE 754 binary16.
double FromHalf(uint16_t half) {
  const int exponent = half >> 10 & 0x1f;
  const int fraction = half & 0x3ff;
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 31) return fraction == 0 ? sign * HUGE_VAL : NAN;
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

template <typename T>
T Load(const char* at, bool swap) {
  char buffer[sizeof(T)];
  std::memcpy(buffer, at, sizeof(T));
  if (swap) std::reverse(buffer, buffer + sizeof(T));
  T value;
  std::memcpy(&value, buffer, sizeof(T));
  return value;
}

using Loader = double (*)(const char*, bool);
template <typename T>
double LoadAs(const char* at, bool swap) {
  return static_cast<double>(Load<T>(at, swap));
}

Loader LoaderOf(const Header& header) {
  const size_t n = header.item_bytes;
  switch (header.kind) {
    case 'f':
      if (n == 2)
        return [](const char* at, bool swap) { return FromHalf(Load<uint16_t>(at, swap)); };
      return n == 4 ? LoadAs<float> : LoadAs<double>;
    case 'i':
      return n == 1   ? LoadAs<int8_t>
             : n == 2 ? LoadAs<int16_t>
             : n == 4 ? LoadAs<int32_t>
                      : LoadAs<int64_t>;
    case 'b':
      return [](const char* at, bool) { return *at == 0 ? 0.0 : 1.0; };
    default:
      return n == 1   ? LoadAs<uint8_t>
             : n == 2 ? LoadAs<uint16_t>
             : n == 4 ? LoadAs<uint32_t>
                      : LoadAs<uint64_t>;
  }
}

std::string NumpyName(const Header& header) {
  const std::string bits = absl::StrCat(8 * header.item_bytes);
  switch (header.kind) {
    case 'f':
      return absl::StrCat("float", bits);
    case 'i':
      return absl::StrCat("int", bits);
    case 'u':
      return absl::StrCat("uint", bits);
    default:
      return "bool";
  }
}

}  // namespace

absl::StatusOr<Table> ReadNpy(absl::string_view bytes) {
  ASSIGN_OR_RETURN(Header header, ReadHeader(bytes));
  // Before any product: beside an extent of 0 the other may be of any size.
  if (header.rows == 0 || header.columns == 0) return Malformed("there are no numbers in it");
  int64_t items = 0, data_bytes = 0;
  if (__builtin_mul_overflow(header.rows, header.columns, &items) ||
      __builtin_mul_overflow(items, static_cast<int64_t>(header.item_bytes), &data_bytes) ||
      data_bytes > static_cast<int64_t>(header.data.size())) {
    return Malformed(absl::StrCat("is cut off: shape (", header.rows, ", ", header.columns,
                                  ") needs more than the ", header.data.size(),
                                  " bytes there are"));
  }
  if (data_bytes < static_cast<int64_t>(header.data.size())) {
    return Malformed(absl::StrCat("has ", static_cast<int64_t>(header.data.size()) - data_bytes,
                                  " bytes past its end"));
  }
  const bool is_float = header.kind == 'f' && header.item_bytes == 4;
  Table table{
      Array(is_float ? DType::kFloat32 : DType::kFloat64, {header.rows, header.columns}), {}, {}};
  const Loader load = LoaderOf(header);
  const bool swap = header.order == '>';
  for (int64_t i = 0; i < items; ++i) {
    const int64_t row = i / header.columns, column = i % header.columns;
    const int64_t from = header.fortran_order ? column * header.rows + row : i;
    const double value =
        load(header.data.data() + static_cast<size_t>(from) * header.item_bytes, swap);
    const auto to = static_cast<size_t>(i);
    if (is_float) {
      table.rows.as<float>()[to] = static_cast<float>(value);
    } else {
      table.rows.as<double>()[to] = value;
    }
  }
  const std::string name = NumpyName(header);
  if (!is_float && name != "float64") table.notes.push_back(absl::StrCat(name, " became float64"));
  RETURN_IF_ERROR(CheckRows(table.rows));
  return table;
}

}  // namespace sluiced::data
