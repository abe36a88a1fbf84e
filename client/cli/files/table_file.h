// Rows of numbers in files, .npy or .csv by the name's ending.
#pragma once

#include <string>
#include <vector>

#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice::cli {

enum class TableFormat { kNpy, kCsv };

// "npy" and "csv"; INVALID_ARGUMENT for others.
Result<TableFormat> ParseTableFormat(const std::string& name);

// `asked` ("npy", "csv" or empty) goes before the path's ending.
Result<TableFormat> FormatOf(const std::string& path, const std::string& asked);

// "-" is stdin. Without `asked` and a known ending, the first bytes decide.
Result<Matrix> ReadTable(const std::string& path, const std::string& asked);

// "-" is stdout, as CSV unless `asked` says otherwise.
Status WriteTable(const std::string& path, const std::string& asked, const Matrix& rows,
                  const std::vector<std::string>& names);

// "x1", "x2", ...
std::vector<std::string> ColumnNames(const std::string& letter, int64_t count);

}  // namespace sluice::cli
