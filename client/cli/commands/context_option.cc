#include "client/cli/commands/context_option.h"

#include <charconv>
#include <sstream>
#include <vector>

#include "client/cli/command_failure.h"
#include "client/cli/files/files.h"
#include "client/cli/files/table_file.h"

namespace sluice::cli {
namespace {

// Empty unless all of it is numbers.
std::vector<double> Numbers(const std::string& text) {
  std::vector<double> numbers;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    const char* end = part.data() + part.size();
    const auto [next, error] = std::from_chars(part.data(), end, numbers.emplace_back());
    if (error != std::errc() || next != end) return {};
  }
  return numbers;
}

}  // namespace

void AddContextOption(CLI::App& command, std::string* text) {
  command.add_option("--context", *text,
                     "Of a conditional model: numbers (0.5,-1) for all rows, or a file with a\n"
                     "row of them for each");
}

Matrix ReadContext(const std::string& text) {
  if (text.empty()) return {};
  std::vector<double> numbers = Numbers(text);
  if (numbers.empty()) return OrFail(ReadTable(text, ""));
  const auto columns = static_cast<int64_t>(numbers.size());
  return {1, columns, std::move(numbers), DType::kFloat64};
}

Matrix WithContext(const Matrix& rows, const std::string& context) {
  if (context.empty()) return rows;
  const Matrix behind = ReadContext(context);
  if (behind.rows != rows.rows && behind.rows != 1) {
    FailUsage("--context has " + std::to_string(behind.rows) + " rows for " +
              std::to_string(rows.rows) + "; one for each, or one for all");
  }
  return JoinColumns(rows, behind);
}

}  // namespace sluice::cli
