// The `traceparent` that a client sends.
#pragma once

#include <string>

#include "sluice/result.h"

namespace sluice {

// INVALID_ARGUMENT for one that IsTraceparent refuses; empty is none, and fine.
Status CheckTraceparent(const std::string& traceparent);

}  // namespace sluice
