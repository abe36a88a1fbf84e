#include "server/common/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"

namespace sluiced {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr size_t kLengthBytes = 8;
constexpr size_t kAlignment = 8;
constexpr size_t kMaxHeaderBytes = 100'000'000;  // As the reference implementation.
constexpr size_t kMaxRank = 32;
constexpr size_t kMaxNameShown = 100;
constexpr char kMetadata[] = "__metadata__";

// One tensor's entry in the header.
struct Entry {
  std::string name;
  std::optional<std::string> dtype;
  std::optional<std::vector<uint64_t>> shape;
  std::optional<std::vector<uint64_t>> offsets;
};

std::string Shown(const std::string& name) {
  return absl::StrCat("'", absl::CHexEscape(name.substr(0, kMaxNameShown)),
                      name.size() > kMaxNameShown ? "..." : "", "'");
}

// Reads the header without building a document: memory stays in proportion to the
// entries, whatever a stranger nests, and a name given twice is seen.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<Entry> TakeEntries() { return std::move(entries_); }
  std::map<std::string, std::string> TakeMetadata() { return std::move(metadata_); }
  const std::string& error() const { return error_; }

  bool null() override { return Unexpected("null"); }
  bool boolean(bool) override { return Unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return Unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    return Unexpected("a number that is not whole");
  }
  bool binary(binary_t&) override { return Unexpected("binary"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (list_ == nullptr) return Unexpected("a number");
    if (list_->size() >= kMaxRank) return Unexpected("too long a list");
    list_->push_back(value);
    return true;
  }

  bool string(string_t& value) override {
    if (depth_ != 2 || list_ != nullptr) return Unexpected("a string");
    if (in_metadata_) {
      return metadata_.emplace(field_, std::move(value)).second || Unexpected("a key twice");
    }
    Entry& entry = entries_.back();
    if (field_ != "dtype" || entry.dtype) return Unexpected("a string");
    entry.dtype = std::move(value);
    return true;
  }

  bool start_object(size_t) override {
    return (depth_ < 2 && list_ == nullptr && ++depth_ > 0) || Unexpected("an object");
  }

  bool end_object() override {
    --depth_;
    in_metadata_ = false;
    return true;
  }

  bool key(string_t& value) override {
    if (depth_ == 2) {
      field_ = std::move(value);
      return true;
    }
    if (!names_.insert(value).second) return Fail(absl::StrCat(Shown(value), " is there twice"));
    in_metadata_ = value == kMetadata;
    name_ = std::move(value);
    if (!in_metadata_) entries_.push_back({name_, {}, {}, {}});
    return true;
  }

  bool start_array(size_t) override {
    if (depth_ != 2 || in_metadata_ || list_ != nullptr) return Unexpected("a list");
    Entry& entry = entries_.back();
    auto* slot = field_ == "shape"          ? &entry.shape
                 : field_ == "data_offsets" ? &entry.offsets
                                            : nullptr;
    if (slot == nullptr || slot->has_value()) return Unexpected("a list");
    list_ = &slot->emplace();
    return true;
  }

  bool end_array() override {
    list_ = nullptr;
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail(absl::StrCat("is no JSON at byte ", position));
  }

 private:
  bool Fail(std::string what) {
    if (error_.empty()) error_ = std::move(what);
    return false;
  }
  bool Unexpected(absl::string_view what) {
    if (depth_ == 0) return Fail("is no JSON object");
    return Fail(absl::StrCat("has ", what, " where none belongs, at ", Shown(name_),
                             depth_ == 2 ? absl::StrCat(" ", Shown(field_)) : ""));
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  std::string name_, field_;  // Where the reader is.
  std::vector<uint64_t>* list_ = nullptr;
  std::set<std::string> names_;
  std::vector<Entry> entries_;
  std::map<std::string, std::string> metadata_;
  std::string error_;
};

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("safetensors: ", what));
}

absl::Status Malformed(const Entry& entry, absl::string_view what) {
  return Malformed(absl::StrCat("tensor ", Shown(entry.name), " ", what));
}

// The entry's array, its numbers still zero. `available` bytes of data are there,
// so that nothing larger is allocated.
absl::StatusOr<Array> DecodeShape(const Entry& entry, size_t available) {
  if (!entry.dtype || !entry.shape || !entry.offsets) {
    return Malformed(entry, "lacks dtype, shape or data_offsets");
  }
  if (*entry.dtype != "F32" && *entry.dtype != "F64") {
    return Malformed(entry, absl::StrCat("has dtype ", Shown(*entry.dtype), ", not F32 or F64"));
  }
  if (entry.offsets->size() != 2 || (*entry.offsets)[0] > (*entry.offsets)[1] ||
      (*entry.offsets)[1] > available) {
    return Malformed(entry,
                     absl::StrCat("has data_offsets outside of the ", available, " bytes of data"));
  }
  const DType dtype = *entry.dtype == "F32" ? DType::kFloat32 : DType::kFloat64;
  std::vector<int64_t> shape(entry.shape->begin(), entry.shape->end());
  auto bytes = CheckedByteSize(shape, dtype);
  if (!bytes.ok()) return Malformed(entry, bytes.status().message());
  const uint64_t stored = (*entry.offsets)[1] - (*entry.offsets)[0];
  if (static_cast<uint64_t>(*bytes) != stored) {
    return Malformed(entry,
                     absl::StrCat("needs ", *bytes, " bytes for its shape and has ", stored));
  }
  return Array(dtype, std::move(shape));
}

absl::StatusOr<std::map<std::string, Array>> DecodeTensors(std::vector<Entry> entries,
                                                           absl::string_view data) {
  // Entries without two offsets sort first and are refused by DecodeShape.
  std::ranges::sort(entries, {}, [](const Entry& e) { return e.offsets; });
  std::map<std::string, Array> tensors;
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    // Contiguity first: together the arrays then never exceed the data.
    if (entry.offsets && !entry.offsets->empty() && entry.offsets->front() != end) {
      return Malformed(entry, absl::StrCat("begins at byte ", entry.offsets->front(), " where ",
                                           end, " ends the one before it"));
    }
    ASSIGN_OR_RETURN(Array array, DecodeShape(entry, data.size()));
    if (array.size() > 0) std::memcpy(array.bytes().data(), &data[end], array.bytes().size());
    end = entry.offsets->back();
    tensors.emplace(entry.name, std::move(array));
  }
  if (end != data.size()) {
    return Malformed(absl::StrCat(data.size() - end, " bytes after the last tensor"));
  }
  return tensors;
}

}  // namespace

std::string EncodeSafetensors(const SafetensorsFile& file) {
  nlohmann::json header = nlohmann::json::object();
  if (!file.metadata.empty()) header[kMetadata] = file.metadata;
  std::string data;
  // The wider numbers first, so that every array is aligned to its own.
  for (DType dtype : {DType::kFloat64, DType::kFloat32}) {
    for (const auto& [name, array] : file.tensors) {
      if (array.dtype() != dtype) continue;
      const size_t begin = data.size();
      data.append(reinterpret_cast<const char*>(array.bytes().data()), array.bytes().size());
      header[name] = {{"dtype", dtype == DType::kFloat64 ? "F64" : "F32"},
                      {"shape", array.shape()},
                      {"data_offsets", {begin, data.size()}}};
    }
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  const uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), kLengthBytes);
  return bytes.append(text).append(data);
}

absl::StatusOr<SafetensorsFile> DecodeSafetensors(absl::string_view bytes) {
  if (bytes.size() < kLengthBytes) {
    return Malformed(absl::StrCat("a file of ", bytes.size(), " bytes has no header"));
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  bytes.remove_prefix(kLengthBytes);
  if (length > bytes.size() || length > kMaxHeaderBytes) {
    return Malformed(absl::StrCat("the file does not begin as one does: its first ", kLengthBytes,
                                  " bytes claim a header of ", length, " bytes, ", bytes.size(),
                                  " follow"));
  }
  const absl::string_view header = bytes.substr(0, length);
  HeaderReader reader;
  if (!nlohmann::json::sax_parse(header.begin(), header.end(), &reader)) {
    return Malformed(absl::StrCat("the header ", reader.error()));
  }
  SafetensorsFile file;
  file.metadata = reader.TakeMetadata();
  ASSIGN_OR_RETURN(file.tensors, DecodeTensors(reader.TakeEntries(), bytes.substr(length)));
  return file;
}

}  // namespace sluiced
