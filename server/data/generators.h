// Toy datasets, made from a seed: the usual ones of the field.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/data/table.h"

namespace sluiced::data {

struct Toy {
  absl::string_view name;  // "swiss-roll"
  int64_t columns;
  double noise;  // Default standard deviation.
  absl::string_view description;
};
std::span<const Toy> AllToys();

// float32 rows, a pure function of its arguments. INVALID_ARGUMENT naming the field.
absl::StatusOr<Table> Generate(absl::string_view toy, int64_t rows, uint64_t seed,
                               std::optional<double> noise);

}  // namespace sluiced::data
