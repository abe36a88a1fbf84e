// Which normal numbers the draws of a base are made of. No LibTorch here.
#pragma once

#include "server/flows/flow_spec.h"

namespace sluiced::flows {

// Numbers of a row of the table of normal numbers that make one draw: those of z, and
// for Student's t as many again, for a mixture one more that chooses the component.
int64_t NormalColumns(const FlowSpec& spec);

}  // namespace sluiced::flows
