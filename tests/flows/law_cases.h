// The table of flows that laws are tested over.
#pragma once

#include <string>
#include <vector>

#include "server/common/array.h"
#include "server/flows/flow.h"
#include "server/flows/flow_spec.h"

namespace sluiced::flows {

struct LawCase {
  std::string name;  // "neural_spline_dim2_f64_context"
  FlowSpec spec;
  Standardization standardization;
};

// Every architecture in dims 1, 2, 3 and 5, both dtypes; plain, with context, with
// bounded columns, with each mixing and with each base.
std::vector<LawCase> LawCases();

// Uniform initial parameters, all of them moved, so that no map is the identity.
Array LawParameters(const FlowSpec& spec);

// Context of `rows` rows, [rows, context_dim].
Array LawContext(const FlowSpec& spec, int64_t rows);

}  // namespace sluiced::flows
