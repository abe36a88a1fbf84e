// Table: rows with what is known of where they came from; what a dataset holds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/common/array.h"
#include "server/store/store.h"

namespace sluiced::data {

struct Table {
  Array rows;                             // [n, columns], n >= 1, finite.
  std::vector<std::string> column_names;  // Empty or one per column.
  std::vector<std::string> notes;         // Conversions, for people.
};

struct DatasetInfo {
  std::vector<std::string> column_names;
  std::string source, description, hash;  // hash: SHA-256 hex of shape, dtype and rows.
  std::vector<double> mean, stddev, min, max;
  std::vector<std::string> notes;
};
std::string ToJson(const DatasetInfo& info);
absl::StatusOr<DatasetInfo> InfoFromJson(absl::string_view json);

inline constexpr int64_t kMaxColumns = 65536;

// Checks rows (2-D, n >= 1, 1 to kMaxColumns columns, finite: the error names row and
// column, counted from 0).
absl::Status CheckRows(const Array& rows);

// Stores the table in chunks of about 1 MiB under `id`.
absl::StatusOr<store::DatasetRecord> SaveTable(store::Store* store, absl::string_view id,
                                               const Table& table, absl::string_view source,
                                               absl::string_view description);
// The rows as saved: checked against their hash.
absl::StatusOr<std::shared_ptr<const Array>> LoadRows(store::Store* store, absl::string_view id);

}  // namespace sluiced::data
