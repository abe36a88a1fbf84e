#include "client/cli/term/listing.h"

#include <algorithm>
#include <iostream>

#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace

void PrintTable(const Cells& headings, const std::vector<Cells>& rows) {
  std::vector<size_t> widths;
  for (const std::string& heading : headings) widths.push_back(DisplayWidth(heading));
  for (const Cells& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  const auto print = [&widths](const Cells& row) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      line += last ? Printable(row[i]) : PadRight(Printable(row[i]), widths[i] + 2);
    }
    std::cout << line << '\n';
  };
  print(headings);
  for (const Cells& row : rows) print(row);
  std::cout.flush();
}

void PrintFields(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t widest = 0;
  for (const auto& [name, value] : fields) widest = std::max(widest, DisplayWidth(name));
  for (const auto& [name, value] : fields) {
    if (!value.empty()) std::cout << PadRight(name + ":", widest + 2) << Printable(value) << '\n';
  }
  std::cout.flush();
}

}  // namespace sluice::cli
