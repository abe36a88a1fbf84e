#include "client/cli/files/table_file.h"

#include "client/cli/files/csv.h"
#include "client/cli/files/files.h"
#include "client/cli/files/npy.h"
#include "client/cli/files/table_writer.h"

namespace sluice::cli {

Result<TableFormat> ParseTableFormat(const std::string& name) {
  if (name == "npy") return TableFormat::kNpy;
  if (name == "csv") return TableFormat::kCsv;
  return Failure(Code::kInvalidArgument, "'" + name + "' is no format of tables; npy and csv are");
}

Result<TableFormat> FormatOf(const std::string& path, const std::string& asked) {
  if (!asked.empty()) return ParseTableFormat(asked);
  Result<TableFormat> format = ParseTableFormat(Ending(path));
  if (format.ok()) return format;
  return FileError(Code::kInvalidArgument, path, "the name ends neither in .npy nor in .csv");
}

Result<Matrix> ReadTable(const std::string& path, const std::string& asked) {
  Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  Result<TableFormat> format = FormatOf(path, asked);
  if (!format.ok()) {
    if (!asked.empty()) return format.status();
    format = LooksLikeNpy(*bytes) ? TableFormat::kNpy : TableFormat::kCsv;
  }
  Result<Matrix> rows = *format == TableFormat::kNpy ? DecodeNpy(*bytes) : DecodeCsv(*bytes);
  if (!rows.ok()) return FileError(rows.status().code, path, rows.status().message);
  return rows;
}

Status WriteTable(const std::string& path, const std::string& asked, const Matrix& rows,
                  const std::vector<std::string>& names) {
  const auto writer = TableWriter::Open(path, asked);
  if (!writer.ok()) return writer.status();
  Status status = (*writer)->Begin({rows.rows, rows.cols, rows.dtype, names});
  if (status.ok()) status = (*writer)->Append(rows);
  return status.ok() ? (*writer)->Close() : status;
}

std::vector<std::string> ColumnNames(const std::string& letter, int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 1; i <= count; ++i) names.push_back(letter + std::to_string(i));
  return names;
}

}  // namespace sluice::cli
