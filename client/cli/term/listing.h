// Listing: a table for people or JSON for programs, on stdout.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sluice::cli {

using Cells = std::vector<std::string>;

// Columns aligned under their headings, two spaces apart. Control characters in
// cells are replaced: a description may not move the cursor.
void PrintTable(const Cells& headings, const std::vector<Cells>& rows);

// "name: value" lines, aligned; those with an empty value are left out.
void PrintFields(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace sluice::cli
