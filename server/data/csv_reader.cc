#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/common/status_macros.h"
#include "server/data/readers.h"

namespace sluiced::data {
namespace {

constexpr size_t kShown = 40;  // Characters of a stranger's field in an error.

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(".csv: ", what));
}

char SeparatorOf(absl::string_view line) {
  for (char separator : {',', ';', '\t'}) {
    if (line.find(separator) != absl::string_view::npos) return separator;
  }
  return ',';
}

// Fields without surrounding space and quotes. A quoted field holds no separator:
// it is a number or a column's name.
std::vector<absl::string_view> Fields(absl::string_view line, char separator) {
  std::vector<absl::string_view> fields = absl::StrSplit(line, separator);
  for (absl::string_view& field : fields) {
    field = absl::StripAsciiWhitespace(field);
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
      field = absl::StripAsciiWhitespace(field.substr(1, field.size() - 2));
    }
  }
  return fields;
}

std::optional<double> Number(absl::string_view field) {
  absl::ConsumePrefix(&field, "+");
  double value = 0;
  const char* end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

bool IsHeader(const std::vector<absl::string_view>& fields) {
  for (absl::string_view field : fields) {
    if (!field.empty() && !Number(field)) return true;
  }
  return false;
}

class CsvParser {
 public:
  absl::Status AddLine(absl::string_view line, int64_t line_number) {
    if (columns_ == 0) separator_ = SeparatorOf(line);
    const std::vector<absl::string_view> fields = Fields(line, separator_);
    if (columns_ == 0) {
      columns_ = fields.size();
      if (IsHeader(fields)) {
        for (absl::string_view field : fields) names_.emplace_back(field);
        return absl::OkStatus();
      }
    }
    if (fields.size() != columns_) {
      return Malformed(absl::StrCat("line ", line_number, " has ", fields.size(),
                                    " fields where the first line has ", columns_));
    }
    for (size_t column = 0; column < columns_; ++column) {
      const std::optional<double> value = Number(fields[column]);
      if (!value) {
        return Malformed(absl::StrCat("line ", line_number, ", column ", column + 1, ": '",
                                      absl::CHexEscape(fields[column].substr(0, kShown)),
                                      "' is no number"));
      }
      values_.push_back(*value);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Table> Finish() && {
    if (columns_ == 0) return Malformed("is empty");
    const auto columns = static_cast<int64_t>(columns_);
    const int64_t rows = static_cast<int64_t>(values_.size()) / columns;
    Table table{Array::FromDoubles({rows, columns}, values_), std::move(names_), {}};
    RETURN_IF_ERROR(CheckRows(table.rows));
    return table;
  }

 private:
  char separator_ = ',';
  size_t columns_ = 0;
  std::vector<std::string> names_;
  std::vector<double> values_;
};

}  // namespace

absl::StatusOr<Table> ReadCsv(absl::string_view bytes) {
  absl::ConsumePrefix(&bytes, "\xef\xbb\xbf");  // Byte order mark.
  CsvParser parser;
  int64_t line_number = 0;
  while (!bytes.empty()) {
    ++line_number;
    const size_t end = bytes.find('\n');
    absl::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == absl::string_view::npos ? bytes.size() : end + 1);
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    RETURN_IF_ERROR(parser.AddLine(line, line_number));
  }
  return std::move(parser).Finish();
}

}  // namespace sluiced::data
