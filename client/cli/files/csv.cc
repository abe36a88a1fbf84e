#include "client/cli/files/csv.h"

#include <charconv>
#include <optional>

namespace sluice::cli {
namespace {

Status Bad(int64_t line, const std::string& what) {
  return Failure(Code::kInvalidArgument, "CSV line " + std::to_string(line) + ": " + what);
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\"");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\"") - first + 1);
}

std::vector<std::string_view> Cells(std::string_view line) {
  std::string_view separator = " ";
  for (const std::string_view candidate : {",", ";", "\t"}) {
    if (line.find(candidate) != std::string_view::npos) {
      separator = candidate;
      break;
    }
  }
  std::vector<std::string_view> cells;
  for (size_t start = 0; start <= line.size();) {
    const size_t end = std::min(line.find(separator, start), line.size());
    const std::string_view cell = Trim(line.substr(start, end - start));
    // Runs of spaces part cells once; an empty cell between commas is one.
    if (separator != " " || !cell.empty()) cells.push_back(cell);
    start = end + 1;
  }
  return cells;
}

std::optional<double> Number(std::string_view cell) {
  if (!cell.empty() && cell[0] == '+') cell.remove_prefix(1);
  double value = 0;
  const char* end = cell.data() + cell.size();
  const auto [next, error] = std::from_chars(cell.data(), end, value);
  if (cell.empty() || error != std::errc() || next != end) return std::nullopt;
  return value;
}

bool IsHeader(const std::vector<std::string_view>& cells) {
  for (const std::string_view cell : cells) {
    if (Number(cell)) return false;
  }
  return true;
}

Status AppendRow(int64_t line, const std::vector<std::string_view>& cells, Matrix* matrix) {
  if (matrix->rows == 0) matrix->cols = static_cast<int64_t>(cells.size());
  if (static_cast<int64_t>(cells.size()) != matrix->cols) {
    return Bad(line, std::to_string(cells.size()) + " cells; the lines before have " +
                         std::to_string(matrix->cols));
  }
  for (const std::string_view cell : cells) {
    const std::optional<double> value = Number(cell);
    if (!value) return Bad(line, "'" + std::string(cell.substr(0, 40)) + "' is not a number");
    matrix->values.push_back(*value);
  }
  ++matrix->rows;
  return {};
}

}  // namespace

Result<Matrix> DecodeCsv(std::string_view text) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);  // A byte-order mark.
  Matrix matrix;
  matrix.dtype = DType::kFloat64;
  int64_t number = 0;
  bool first = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (Trim(line).empty()) continue;
    const std::vector<std::string_view> cells = Cells(line);
    const bool header = first && IsHeader(cells);
    first = false;
    if (header) continue;
    Status status = AppendRow(number, cells, &matrix);
    if (!status.ok()) return status;
  }
  if (number == 0) return Failure(Code::kInvalidArgument, "it is empty");
  if (matrix.rows == 0) return Failure(Code::kInvalidArgument, "it has no row of numbers");
  return matrix;
}

std::string EncodeCsv(const Matrix& rows, const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) out += (i > 0 ? "," : "") + names[i];
  if (!names.empty()) out += '\n';
  char buffer[40];
  for (size_t i = 0; i < rows.values.size(); ++i) {
    const double value = rows.values[i];
    char* const limit = buffer + sizeof(buffer);
    const auto end = rows.dtype == DType::kFloat32
                         ? std::to_chars(buffer, limit, static_cast<float>(value)).ptr
                         : std::to_chars(buffer, limit, value).ptr;
    out.append(buffer, end);
    out += (i + 1) % static_cast<size_t>(rows.cols) == 0 ? '\n' : ',';
  }
  return out;
}

}  // namespace sluice::cli
