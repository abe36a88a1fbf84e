// Flows on the engine.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "server/flows/flow.h"

namespace sluiced::models {

// Flow::Create, on the executor that the spec names.
absl::StatusOr<std::shared_ptr<const flows::Flow>> MakeFlow(flows::FlowState state);

}  // namespace sluiced::models
