// Readers of dataset files. Errors are INVALID_ARGUMENT and say where.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/data/table.h"

namespace sluiced::data {

// NumPy's .npy, versions 1.0 to 3.0: 1-D (a single column) or 2-D; bool,
// integers and floats of 1-8 bytes, either byte order, C or Fortran order. float32 stays, the rest
// becomes float64, with a note.
absl::StatusOr<Table> ReadNpy(absl::string_view bytes);

// Comma-, semicolon- or tab-separated numbers, with or without a header line;
// float64. A field that is no number is named by line and column.
absl::StatusOr<Table> ReadCsv(absl::string_view bytes);

}  // namespace sluiced::data
