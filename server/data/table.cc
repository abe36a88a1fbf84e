#include "server/data/table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/data/sha256.h"

namespace sluiced::data {
namespace {

constexpr int64_t kChunkBytes = int64_t{1} << 20;

int64_t RowBytes(int64_t columns, DType dtype) {
  return columns * static_cast<int64_t>(SizeOf(dtype));
}

// Two passes, so that a large mean does not cancel the deviations, in long double,
// where no square of a double overflows: what is not finite has no place in JSON.
void AddStatistics(const Array& rows, DatasetInfo* info) {
  const auto columns = static_cast<size_t>(rows.cols());
  const auto count = static_cast<long double>(rows.rows());
  std::vector<long double> mean(columns), variance(columns);
  info->min.assign(columns, HUGE_VAL);
  info->max.assign(columns, -HUGE_VAL);
  for (int64_t i = 0; i < rows.size(); ++i) {
    const size_t column = static_cast<size_t>(i) % columns;
    const double value = rows.At(i);
    mean[column] += value / count;
    info->min[column] = std::min(info->min[column], value);
    info->max[column] = std::max(info->max[column], value);
  }
  for (int64_t i = 0; i < rows.size(); ++i) {
    const size_t column = static_cast<size_t>(i) % columns;
    const long double deviation = rows.At(i) - mean[column];
    variance[column] += deviation * deviation / count;
  }
  for (size_t column = 0; column < columns; ++column) {
    // Both lie within the doubles' range but for rounding at its very end.
    constexpr long double kMost = std::numeric_limits<double>::max();
    info->mean.push_back(static_cast<double>(std::clamp(mean[column], -kMost, kMost)));
    info->stddev.push_back(static_cast<double>(std::min(std::sqrt(variance[column]), kMost)));
  }
}

std::string HashOf(const Array& rows) {
  Sha256 hash;
  hash.Add(
      absl::StrCat(std::string(NameOf(rows.dtype())), " ", rows.rows(), " ", rows.cols(), "\n"));
  hash.Add(rows.bytes());
  return std::move(hash).Hex();
}

}  // namespace

std::string ToJson(const DatasetInfo& info) {
  return nlohmann::json{{"column_names", info.column_names},
                        {"source", info.source},
                        {"description", info.description},
                        {"hash", info.hash},
                        {"mean", info.mean},
                        {"stddev", info.stddev},
                        {"min", info.min},
                        {"max", info.max},
                        {"notes", info.notes}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::StatusOr<DatasetInfo> InfoFromJson(absl::string_view json) {
  try {
    const auto parsed = nlohmann::json::parse(json.begin(), json.end());
    DatasetInfo info;
    parsed.at("column_names").get_to(info.column_names);
    parsed.at("source").get_to(info.source);
    parsed.at("description").get_to(info.description);
    parsed.at("hash").get_to(info.hash);
    parsed.at("mean").get_to(info.mean);
    parsed.at("stddev").get_to(info.stddev);
    parsed.at("min").get_to(info.min);
    parsed.at("max").get_to(info.max);
    parsed.at("notes").get_to(info.notes);
    return info;
  } catch (const nlohmann::json::exception& e) {
    return absl::InternalError(absl::StrCat("a stored dataset is damaged: ", e.what()));
  }
}

absl::Status CheckRows(const Array& rows) {
  if (rows.shape().size() != 2) {
    return FieldError(
        "rows", absl::StrCat("must be [n, columns], has ", rows.shape().size(), " dimensions"));
  }
  if (rows.rows() < 1 || rows.cols() < 1) return FieldError("rows", "there is no row");
  if (rows.cols() > kMaxColumns) {
    return FieldError("rows", absl::StrCat(rows.cols(), " columns, more than ", kMaxColumns));
  }
  for (int64_t i = 0; i < rows.size(); ++i) {
    if (std::isfinite(rows.At(i))) continue;
    return FieldError(
        "rows", absl::StrCat("row ", i / rows.cols(), ", column ", i % rows.cols(), " (from 0) is ",
                             rows.At(i), "; every number must be finite"));
  }
  return absl::OkStatus();
}

absl::StatusOr<store::DatasetRecord> SaveTable(store::Store* store, absl::string_view id,
                                               const Table& table, absl::string_view source,
                                               absl::string_view description) {
  RETURN_IF_ERROR(CheckRows(table.rows));
  if (!table.column_names.empty() &&
      static_cast<int64_t>(table.column_names.size()) != table.rows.cols()) {
    return FieldError("column_names", absl::StrCat(table.column_names.size(), " names for ",
                                                   table.rows.cols(), " columns"));
  }
  DatasetInfo info;
  info.column_names = table.column_names;
  info.source = std::string(source);
  info.description = std::string(description);
  info.hash = HashOf(table.rows);
  info.notes = table.notes;
  AddStatistics(table.rows, &info);

  store::DatasetRecord record;
  record.id = std::string(id);
  record.rows = table.rows.rows();
  record.columns = table.rows.cols();
  record.dtype = std::string(NameOf(table.rows.dtype()));
  record.info_json = ToJson(info);
  record.create_time = absl::Now();

  const int64_t row_bytes = RowBytes(record.columns, table.rows.dtype());
  const int64_t rows_per_chunk = std::max<int64_t>(1, kChunkBytes / row_bytes);
  int64_t row = 0;
  RETURN_IF_ERROR(store->CreateDataset(record, [&]() -> absl::StatusOr<std::string> {
    const int64_t count = std::min(rows_per_chunk, record.rows - row);
    const auto* from = reinterpret_cast<const char*>(table.rows.bytes().data()) + row * row_bytes;
    row += count;
    return std::string(from, static_cast<size_t>(count * row_bytes));
  }));
  return record;
}

absl::StatusOr<std::shared_ptr<const Array>> LoadRows(store::Store* store, absl::string_view id) {
  ASSIGN_OR_RETURN(const store::DatasetRecord record, store->GetDataset(id));
  ASSIGN_OR_RETURN(const DatasetInfo info, InfoFromJson(record.info_json));
  const auto dtype = DTypeFromName(record.dtype);
  if (!dtype) return absl::InternalError(absl::StrCat("dataset ", id, " has an unknown dtype"));
  auto rows = std::make_shared<Array>(*dtype, std::vector<int64_t>{record.rows, record.columns});
  std::span<std::byte> to = rows->bytes();
  for (int64_t index = 0; !to.empty(); ++index) {
    ASSIGN_OR_RETURN(std::string chunk, store->GetDatasetChunk(id, index));
    if (chunk.empty() || chunk.size() > to.size()) {
      return absl::InternalError(absl::StrCat("dataset ", id, " does not have the rows it says"));
    }
    std::memcpy(to.data(), chunk.data(), chunk.size());
    to = to.subspan(chunk.size());
  }
  // Chunks are read one by one: meanwhile another dataset may have taken the id.
  if (HashOf(*rows) != info.hash) {
    return absl::InternalError(
        absl::StrCat("dataset ", id, " is damaged, or was replaced while it was read"));
  }
  return rows;
}

}  // namespace sluiced::data
