#include "client/cli/files/npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

namespace sluice::cli {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

constexpr std::string_view kMagic("\x93NUMPY", 6);

struct Header {
  char kind = 'f';  // NumPy's: f, i, u, b.
  size_t item = 4;  // Bytes.
  bool swap = false;
  bool fortran = false;
  std::vector<int64_t> shape;
};

Status Bad(const std::string& what) {
  return Failure(Code::kInvalidArgument, "not a usable .npy file: " + what);
}

// What follows 'key': in the header's dictionary, or nothing.
std::optional<std::string_view> Field(std::string_view dict, std::string_view key) {
  const std::string quoted = "'" + std::string(key) + "'";
  size_t at = dict.find(quoted);
  if (at == std::string_view::npos) return std::nullopt;
  at = dict.find(':', at + quoted.size());
  if (at == std::string_view::npos) return std::nullopt;
  at = dict.find_first_not_of(' ', at + 1);
  if (at == std::string_view::npos) return std::nullopt;
  return dict.substr(at);
}

bool ParseShape(std::string_view text, std::vector<int64_t>* shape) {
  const size_t close = text.find(')');
  if (text.empty() || text[0] != '(' || close == std::string_view::npos) return false;
  text = text.substr(1, close - 1);
  while (!text.empty()) {
    const size_t start = text.find_first_not_of(" ,");
    if (start == std::string_view::npos) break;
    int64_t extent = 0;
    const char* end = text.data() + text.size();
    const auto [next, error] = std::from_chars(text.data() + start, end, extent);
    if (error != std::errc() || extent < 0) return false;
    shape->push_back(extent);
    text = std::string_view(next, static_cast<size_t>(end - next));
  }
  return true;
}

bool ParseType(std::string_view text, Header* header) {
  if (text.size() < 5 || (text[0] != '\'' && text[0] != '"')) return false;
  const char order = text[1];
  header->kind = text[2];
  header->item = static_cast<size_t>(text[3] - '0');
  header->swap = order == '>';
  const bool known_order = order == '<' || order == '>' || order == '|' || order == '=';
  if (!known_order || text[4] != text[0]) return false;
  const std::string_view sizes = header->kind == 'f'                          ? "48"
                                 : header->kind == 'b'                        ? "1"
                                 : header->kind == 'i' || header->kind == 'u' ? "1248"
                                                                              : "";
  return sizes.find(text[3]) != std::string_view::npos;
}

Result<Header> ParseHeader(std::string_view dict) {
  Header header;
  const auto type = Field(dict, "descr");
  const auto order = Field(dict, "fortran_order");
  const auto shape = Field(dict, "shape");
  if (!type || !order || !shape) return Bad("its header lacks descr, fortran_order or shape");
  if (!ParseType(*type, &header)) {
    return Bad("its numbers are of a type other than float32, float64, integers and booleans");
  }
  header.fortran = order->substr(0, 4) == "True";
  if (!ParseShape(*shape, &header.shape)) return Bad("its shape is malformed");
  if (header.shape.empty() || header.shape.size() > 2) {
    return Bad("it has " + std::to_string(header.shape.size()) + " dimensions; 1 or 2 are needed");
  }
  return header;
}

template <typename T>
double Load(const unsigned char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<double>(value);
}

double LoadItem(const Header& header, const unsigned char* item) {
  unsigned char bytes[8];
  std::memcpy(bytes, item, header.item);
  if (header.swap) std::reverse(bytes, bytes + header.item);
  const bool is_signed = header.kind == 'i';
  switch (header.item) {
    case 1:
      return is_signed ? Load<int8_t>(bytes) : Load<uint8_t>(bytes);
    case 2:
      return is_signed ? Load<int16_t>(bytes) : Load<uint16_t>(bytes);
    case 4:
      if (header.kind == 'f') return Load<float>(bytes);
      return is_signed ? Load<int32_t>(bytes) : Load<uint32_t>(bytes);
    default:
      if (header.kind == 'f') return Load<double>(bytes);
      return is_signed ? Load<int64_t>(bytes) : static_cast<double>(Load<uint64_t>(bytes));
  }
}

// Splits off the header's dictionary; the rest is the array.
Result<std::string_view> TakeHeader(std::string_view* bytes) {
  if (!LooksLikeNpy(*bytes) || bytes->size() < 12) return Bad("its first bytes say otherwise");
  const auto byte = [&](size_t i) {
    return static_cast<size_t>(static_cast<uint8_t>((*bytes)[i]));
  };
  const bool first_version = byte(6) == 1;
  size_t length = byte(8) | byte(9) << 8;
  if (!first_version) length |= byte(10) << 16 | byte(11) << 24;
  const size_t start = first_version ? 10 : 12;
  if (bytes->size() - start < length) return Bad("its header is cut short");
  const std::string_view dict = bytes->substr(start, length);
  *bytes = bytes->substr(start + length);
  return dict;
}

}  // namespace

bool LooksLikeNpy(std::string_view bytes) { return bytes.substr(0, kMagic.size()) == kMagic; }

Result<Matrix> DecodeNpy(std::string_view bytes) {
  Result<std::string_view> dict = TakeHeader(&bytes);
  if (!dict.ok()) return dict.status();
  Result<Header> header = ParseHeader(*dict);
  if (!header.ok()) return header.status();
  Matrix matrix;
  matrix.rows = header->shape[0];
  matrix.cols = header->shape.size() == 2 ? header->shape[1] : 1;
  const auto rows = static_cast<size_t>(matrix.rows);
  const auto cols = static_cast<size_t>(matrix.cols);
  const size_t items = bytes.size() / header->item;
  // Divides instead of multiplying: a hostile shape must not overflow.
  const bool fits = cols == 0 || rows == 0 ? bytes.empty()
                                           : items % cols == 0 && items / cols == rows &&
                                                 bytes.size() % header->item == 0;
  if (!fits) return Bad("its shape and its length disagree");
  matrix.dtype = header->kind == 'f' && header->item == 4 ? DType::kFloat32 : DType::kFloat64;
  if (rows == 0 || cols == 0) return matrix;
  matrix.values.resize(items);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  for (size_t i = 0; i < items; ++i) {
    const size_t to = header->fortran ? i % rows * cols + i / rows : i;
    matrix.values[to] = LoadItem(*header, data + i * header->item);
  }
  return matrix;
}

std::string NpyHeader(const std::vector<int64_t>& shape, DType dtype) {
  std::string dict = std::string("{'descr': '") + (dtype == DType::kFloat32 ? "<f4" : "<f8") +
                     "', 'fortran_order': False, 'shape': (";
  for (const int64_t extent : shape) dict += std::to_string(extent) + ", ";
  dict += "), }";
  // The array starts at a multiple of 64, as NumPy writes it.
  dict.append(63 - (10 + dict.size()) % 64, ' ');
  dict += '\n';
  std::string out(kMagic);
  out +=
      {'\x01', '\x00', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return out + dict;
}

std::string NpyNumbers(const std::vector<double>& values, DType dtype) {
  const bool single = dtype == DType::kFloat32;
  const size_t item = single ? sizeof(float) : sizeof(double);
  std::string out(values.size() * item, '\0');
  for (size_t i = 0; i < values.size(); ++i) {
    const float narrow = static_cast<float>(values[i]);
    std::memcpy(out.data() + i * item, single ? static_cast<const void*>(&narrow) : &values[i],
                item);
  }
  return out;
}

std::string EncodeNpy(const std::vector<int64_t>& shape, const std::vector<double>& values,
                      DType dtype) {
  return NpyHeader(shape, dtype) + NpyNumbers(values, dtype);
}

}  // namespace sluice::cli
