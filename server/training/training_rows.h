// The rows of a dataset as a training sees them. No LibTorch here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/flows/flow_spec.h"
#include "server/training/row_preparation.h"
#include "server/training/train_config.h"

namespace sluiced::training {

struct TrainingRows {
  std::shared_ptr<const Array> data;  // [n, RowColumns(spec)]
  std::vector<double> weights;        // [n], or empty.
  std::vector<std::string> names;     // Of the columns of data, or empty.
  Split split;
  std::vector<std::string> notes;  // For people.
};

// Takes the weights out (weight_column, -1: none), splits the rows and, where the
// settings say so, dequantises; rows that stay as they are are not copied.
// INVALID_ARGUMENT naming the column of weights.
absl::StatusOr<TrainingRows> PrepareRows(const flows::FlowSpec& spec, const TrainConfig& config,
                                         std::shared_ptr<const Array> rows, int64_t weight_column,
                                         std::vector<std::string> names);

// Looks at every column of x, and notes what is only to be warned of. INVALID_ARGUMENT
// naming the column and the remedy.
absl::Status CheckRows(const flows::FlowSpec& spec, const TrainConfig& config, TrainingRows* rows);

}  // namespace sluiced::training
