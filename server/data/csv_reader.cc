#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/data/readers.h"

namespace sluiced::data {
namespace {

constexpr size_t kMaxShown = 40;
constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

struct Place {
  int64_t line, column;  // From 1.
};

absl::Status Malformed(const Place& place, absl::string_view what) {
  return FieldError("chunk",
                    absl::StrCat("csv: line ", place.line, ", column ", place.column, ": ", what));
}

absl::Status Malformed(int64_t line, absl::string_view what) {
  return FieldError("chunk", absl::StrCat("csv: line ", line, ": ", what));
}

std::string Shown(absl::string_view field) {
  return absl::StrCat("'", absl::CHexEscape(field.substr(0, kMaxShown)),
                      field.size() > kMaxShown ? "..." : "", "'");
}

// nullopt for what is no number; may be infinite or NaN.
std::optional<double> ParseNumber(absl::string_view text) {
  // from_chars takes no plus sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  // Out of range: from_chars does not say whether too large or too small.
  if (error != std::errc() && !absl::SimpleAtod(text, &value)) return std::nullopt;
  return value;
}

// Lines that hold anything, without their ends (LF, CRLF or CR).
class LineReader {
 public:
  explicit LineReader(absl::string_view text) : rest_(text) {}

  bool Next(absl::string_view& line) {
    while (!rest_.empty()) {
      const size_t end = rest_.find_first_of("\r\n");
      line = rest_.substr(0, end);
      const bool crlf =
          end != absl::string_view::npos && absl::StartsWith(rest_.substr(end), "\r\n");
      rest_.remove_prefix(end == absl::string_view::npos ? rest_.size() : end + (crlf ? 2 : 1));
      ++number_;
      if (!absl::StripAsciiWhitespace(line).empty()) return true;
    }
    return false;
  }
  int64_t number() const { return number_; }  // Of the last line, from 1.

 private:
  absl::string_view rest_;
  int64_t number_ = 0;
};

// Takes the fields of a line one by one.
class FieldReader {
 public:
  FieldReader(absl::string_view line, int64_t number, char separator)
      : rest_(line), place_{number, 0}, separator_(separator) {}

  bool AtEnd() const { return at_end_; }
  const Place& place() const { return place_; }

  // Only while not AtEnd. Without quotes and surrounding space; `field` lives until
  // the next call.
  absl::Status Next(absl::string_view& field) {
    ++place_.column;
    SkipBlanks();
    if (absl::StartsWith(rest_, "\"")) {
      RETURN_IF_ERROR(NextQuoted());
      field = absl::StripAsciiWhitespace(unquoted_);
    } else {
      const size_t end = rest_.find(separator_);
      field = absl::StripTrailingAsciiWhitespace(rest_.substr(0, end));
      rest_.remove_prefix(std::min(end, rest_.size()));
    }
    if (rest_.empty()) {
      at_end_ = true;
    } else {
      rest_.remove_prefix(1);
    }
    return absl::OkStatus();
  }

 private:
  absl::Status NextQuoted() {
    unquoted_.clear();
    rest_.remove_prefix(1);
    while (true) {
      const size_t quote = rest_.find('"');
      if (quote == absl::string_view::npos) return Malformed(place_, "a quote is not closed");
      absl::StrAppend(&unquoted_, rest_.substr(0, quote));
      rest_.remove_prefix(quote + 1);
      if (!absl::StartsWith(rest_, "\"")) break;
      unquoted_.push_back('"');  // Doubled: a quote within.
      rest_.remove_prefix(1);
    }
    SkipBlanks();
    if (rest_.empty() || rest_[0] == separator_) return absl::OkStatus();
    return Malformed(place_, "text after a closed quote");
  }

  // Not the separator, which may be a tab.
  void SkipBlanks() {
    while (!rest_.empty() && rest_[0] != separator_ && (rest_[0] == ' ' || rest_[0] == '\t')) {
      rest_.remove_prefix(1);
    }
  }

  absl::string_view rest_;
  Place place_;
  const char separator_;
  bool at_end_ = false;
  std::string unquoted_;
};

// A semicolon or a tab before a comma: where there is one of those, commas are
// someone's decimal points, and then an error.
char FindSeparator(absl::string_view line) {
  bool quoted = false, semicolon = false, tab = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    semicolon = semicolon || (!quoted && c == ';');
    tab = tab || (!quoted && c == '\t');
  }
  return semicolon ? ';' : tab ? '\t' : ',';
}

absl::Status NoNumber(const Place& place, absl::string_view field) {
  return Malformed(place, field.empty() ? "a number is missing" : Shown(field) + " is no number");
}

struct FirstLine {
  int64_t columns = 0;
  std::vector<std::string> names;  // None where it holds numbers.
};

absl::StatusOr<FirstLine> ReadFirstLine(absl::string_view line, int64_t number, char separator) {
  FirstLine first;
  bool has_number = false;
  Place text_place = {number, 0};
  std::string text;
  for (FieldReader fields(line, number, separator); !fields.AtEnd();) {
    absl::string_view field;
    RETURN_IF_ERROR(fields.Next(field));
    first.columns = fields.place().column;
    if (first.columns > kMaxColumns) return Malformed(fields.place(), "too many columns");
    first.names.emplace_back(field);
    if (ParseNumber(field)) {
      has_number = true;
    } else if (text_place.column == 0 || (text.empty() && !field.empty())) {
      text_place = fields.place();
      text = first.names.back();
    }
  }
  if (text_place.column == 0) {
    first.names.clear();
    return first;
  }
  // A header has some text and no number: else a field went wrong.
  if (has_number || text.empty()) return NoNumber(text_place, text);
  return first;
}

absl::Status ReadLine(absl::string_view line, int64_t number, char separator, int64_t columns,
                      std::vector<double>& numbers) {
  FieldReader fields(line, number, separator);
  while (!fields.AtEnd()) {
    absl::string_view field;
    RETURN_IF_ERROR(fields.Next(field));
    if (fields.place().column > columns) {
      return Malformed(number,
                       absl::StrCat("more fields than the ", columns, " of the first line"));
    }
    const std::optional<double> value = ParseNumber(field);
    if (!value) return NoNumber(fields.place(), field);
    if (!std::isfinite(*value)) return Malformed(fields.place(), Shown(field) + " is not finite");
    numbers.push_back(*value);
  }
  if (fields.place().column == columns) return absl::OkStatus();
  return Malformed(
      number, absl::StrCat(fields.place().column, " fields where the first line has ", columns));
}

}  // namespace

absl::StatusOr<Table> ReadCsv(absl::string_view bytes) {
  LineReader lines(absl::StripPrefix(bytes, kByteOrderMark));
  absl::string_view line;
  if (!lines.Next(line)) return FieldError("chunk", "csv: the file is empty");
  const char separator = FindSeparator(line);
  Table table;
  ASSIGN_OR_RETURN(FirstLine first, ReadFirstLine(line, lines.number(), separator));
  table.column_names = std::move(first.names);
  std::vector<double> numbers;
  bool more = table.column_names.empty() || lines.Next(line);
  if (!more) return FieldError("chunk", "csv: there are no rows under the header");
  for (; more; more = lines.Next(line)) {
    RETURN_IF_ERROR(ReadLine(line, lines.number(), separator, first.columns, numbers));
  }
  const int64_t rows = static_cast<int64_t>(numbers.size()) / first.columns;
  table.rows = Array::FromDoubles({rows, first.columns}, numbers);
  RETURN_IF_ERROR(CheckRows(table.rows));
  return table;
}

}  // namespace sluiced::data
