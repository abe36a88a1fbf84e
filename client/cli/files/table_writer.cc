#include "client/cli/files/table_writer.h"

#include <limits>
#include <utility>

#include "client/cli/files/csv.h"
#include "client/cli/files/npy.h"
#include "client/cli/term/format.h"

namespace sluice::cli {
namespace {

constexpr double kLargestFile = static_cast<double>(std::numeric_limits<int64_t>::max());
// A digit and what parts it from the next number.
constexpr double kLeastCsvBytes = 2;

}  // namespace

Result<std::unique_ptr<TableWriter>> TableWriter::Open(const std::string& path,
                                                       const std::string& asked) {
  const std::string wanted = path == "-" && asked.empty() ? "csv" : asked;
  const Result<TableFormat> format = FormatOf(path, wanted);
  if (!format.ok()) return format.status();
  Result<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  return std::unique_ptr<TableWriter>(new TableWriter(*format, *std::move(file)));
}

Status TableWriter::CheckRoom() const {
  const double item = format_ == TableFormat::kCsv      ? kLeastCsvBytes
                      : shape_.dtype == DType::kFloat32 ? sizeof(float)
                                                        : sizeof(double);
  // In floating point, which cannot wrap around.
  const double bytes = static_cast<double>(shape_.rows) * static_cast<double>(shape_.cols) * item;
  const std::string rows =
      FormatCount(shape_.rows) + " rows of " + FormatCount(shape_.cols) + " numbers";
  if (format_ == TableFormat::kNpy && bytes >= kLargestFile) {
    return Failure(Code::kOutOfRange, rows + " are more than a file can hold");
  }
  const std::optional<uint64_t> room = file_->RoomLeft();
  if (!room || bytes <= static_cast<double>(*room)) return {};
  return Failure(Code::kResourceExhausted, rows + " take " + FormatBytes(bytes) +
                                               " at least; the disk has " +
                                               FormatBytes(static_cast<double>(*room)) + " left");
}

Status TableWriter::Begin(const TableShape& shape) {
  shape_ = shape;
  if (Status status = CheckRoom(); !status.ok()) return status;
  if (format_ == TableFormat::kCsv) {
    return file_->Write(EncodeCsv({0, shape.cols, {}, shape.dtype}, shape.names));
  }
  // A single named column is a vector to whoever loads it.
  std::vector<int64_t> extents{shape.rows};
  if (shape.cols != 1 || shape.names.empty() || shape.names[0] == "x1") {
    extents.push_back(shape.cols);
  }
  return file_->Write(NpyHeader(extents, shape.dtype));
}

Status TableWriter::Append(const Matrix& rows) {
  written_ += rows.rows;
  return file_->Write(format_ == TableFormat::kCsv ? EncodeCsv(rows, {})
                                                   : NpyNumbers(rows.values, shape_.dtype));
}

Status TableWriter::Close() {
  if (written_ != shape_.rows) {
    return Failure(Code::kInternal,
                   FormatCount(written_) + " rows came of " + FormatCount(shape_.rows));
  }
  return file_->Commit();
}

}  // namespace sluice::cli
