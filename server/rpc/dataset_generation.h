// What GenerateDataset is asked for, and the rows it makes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/data/table.h"
#include "server/rpc/call.h"
#include "server/serving/limits.h"
#include "server/targets/target.h"
#include "sluice/v1/dataset.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

struct Generation {
  std::string toy;  // Or a target.
  const targets::Target* target;
  int64_t rows;
  uint64_t seed;
  std::optional<double> noise;
};

absl::StatusOr<Generation> DecodeGeneration(const v1::GenerateDatasetRequest& in,
                                            const serving::Limits& limits);
// As a person would ask for it.
std::string Describe(const Generation& wanted);
// Ends when nobody waits for it any more.
absl::StatusOr<data::Table> GenerateTable(const Generation& wanted, Call& call);

}  // namespace sluiced::rpc
