// TableWriter: a table written as its rows come.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/cli/files/output_file.h"
#include "client/cli/files/table_file.h"
#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice::cli {

struct TableShape {
  int64_t rows = 0;  // All that will come.
  int64_t cols = 0;
  DType dtype = DType::kFloat32;
  std::vector<std::string> names;  // Of the columns; may be empty.
};

// Open, Begin, Append as often as needed, Close. The file is complete or absent, as
// OutputFile's.
class TableWriter {
 public:
  // As WriteTable takes them. Creates the file: a name or a place that will not do
  // is found before any rows are made.
  static Result<std::unique_ptr<TableWriter>> Open(const std::string& path,
                                                   const std::string& asked);

  // RESOURCE_EXHAUSTED where the rows cannot fit on the disk, OUT_OF_RANGE where
  // they fit into no file.
  Status Begin(const TableShape& shape);
  Status Append(const Matrix& rows);
  // INTERNAL unless all rows have come.
  Status Close();

 private:
  TableWriter(TableFormat format, std::unique_ptr<OutputFile> file)
      : format_(format), file_(std::move(file)) {}
  Status CheckRoom() const;

  const TableFormat format_;
  const std::unique_ptr<OutputFile> file_;
  TableShape shape_;
  int64_t written_ = 0;
};

}  // namespace sluice::cli
