// What in the columns of a dataset a density cannot be fitted to. No LibTorch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/common/array.h"
#include "server/flows/flow_spec.h"

namespace sluiced::training {

// "column 2 ('price')"
std::string ColumnText(const std::vector<std::string>& names, int64_t column);

// INVALID_ARGUMENT naming "dataset", and the column and row of the first value of x
// outside of its column's support. data: [n, RowColumns(spec)].
absl::Status CheckSupports(const flows::FlowSpec& spec, const Array& data,
                           const std::vector<std::string>& names);

struct DegenerateColumn {
  enum class Kind {
    kConstant,
    kDiscrete,   // At least half of its values repeat others.
    kDependent,  // Follows linearly from the context and the columns before it.
  };
  int64_t column;
  Kind kind;
  std::string what;  // "is constant (3)"
};

// The columns of x on which a likelihood grows without bound, by the first 100,000 of
// the named rows; fewer than 100 rows tell nothing of repeated values.
std::vector<DegenerateColumn> FindDegenerateColumns(const flows::FlowSpec& spec, const Array& data,
                                                    const std::vector<int64_t>& rows);

// "only 12% of the rows are distinct ..." or nothing.
std::string RepeatedRowsWarning(const Array& data, const std::vector<int64_t>& rows);

// The data, as float64, with noise on `columns`: uniform in (0, gap], the least gap
// between the column's values (Uria, Murray and Larochelle 2013). A pure function of its
// arguments.
Array Dequantize(const Array& data, const std::vector<int64_t>& columns, uint64_t seed);

// The same on every column of x that is discrete in all of the rows.
Array DequantizeDiscrete(const flows::FlowSpec& spec, const Array& data, uint64_t seed);

}  // namespace sluiced::training
