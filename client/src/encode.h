// From the public types to the wire's messages.
#pragma once

#include "sluice/types.h"
#include "sluice/v1/flow.pb.h"
#include "sluice/v1/training.pb.h"

namespace sluice {

void EncodeSpec(const FlowSpec& in, v1::FlowSpec* out);
void EncodeConfig(const TrainConfig& in, v1::TrainConfig* out);

}  // namespace sluice
