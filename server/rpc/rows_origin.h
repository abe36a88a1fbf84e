// Which rows of a dataset a model version was trained on, by its provenance.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/models/registry.h"
#include "server/store/store.h"
#include "sluice/v1/evaluation.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

struct RowsOrigin {
  // OTHER_DATASET, TRAINED_ON or UNKNOWN.
  v1::RowsOrigin of_all = v1::ROWS_ORIGIN_UNKNOWN;
  // Numbers of the rows that every training on this dataset held out, ascending; of
  // TRAINED_ON alone; empty where none were, or it cannot be told which.
  std::vector<int64_t> held_out = {};
  bool chose_the_epoch = false;  // Whether a training chose its best epoch by them.
  std::string why = {};          // A sentence for people: why it is known or is not.
};

// Of `version` (models/{model}/versions/{n}, or a snapshot) and dataset `id`. A version is
// trained from the ones before it: what they saw counts.
absl::StatusOr<RowsOrigin> FindRowsOrigin(store::Store* store, absl::string_view version,
                                          absl::string_view id);

}  // namespace sluiced::rpc
