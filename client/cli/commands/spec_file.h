// A flow's spec as text: the JSON that `sluice model get --format json` prints, or its
// field `spec`.
#pragma once

#include <string>

#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice::cli {

// Fields that are missing take their defaults. INVALID_ARGUMENT naming one that is
// unknown or of another type.
Result<FlowSpec> ParseSpec(const std::string& json);

// "2:positive", "0:interval:0:1", "3:periodic:-3.1416:3.1416"
Result<Column> ParseColumn(const std::string& text);

// The values' names as NameOf writes them; false for any other.
bool FromName(const std::string& name, Initialization* out);
bool FromName(const std::string& name, Executor* out);
bool FromName(const std::string& name, Mixing* out);
bool FromName(const std::string& name, Base* out);
bool FromName(const std::string& name, Support* out);

}  // namespace sluice::cli
