// Flows of which all is known in closed form.
#pragma once

#include <memory>
#include <vector>

#include "server/common/array.h"
#include "server/common/philox.h"
#include "server/evaluation/flow_rows.h"
#include "server/flows/flow.h"
#include "server/flows/parameters.h"

namespace sluiced::evaluation {

inline absl::Status Forever() { return absl::OkStatus(); }

// Independent normals of these means and deviations, whatever the context.
inline std::shared_ptr<const flows::Flow> NormalFlow(std::vector<double> mean,
                                                     std::vector<double> deviation,
                                                     int64_t context_dim = 0) {
  flows::FlowSpec spec;
  spec.dim = static_cast<int64_t>(mean.size());
  spec.layers = 2;
  spec.hidden = 4;
  spec.context_dim = context_dim;
  spec.dtype = DType::kFloat64;
  const auto contexts = static_cast<size_t>(context_dim);
  flows::FlowState state{spec,
                         flows::InitialParameters(spec, 1),
                         {std::move(mean), std::move(deviation), std::vector<double>(contexts, 0.0),
                          std::vector<double>(contexts, 1.0)}};
  return flows::Flow::Create(std::move(state)).value();
}

// Standard normal [n, columns], times `scale`, plus `shift`.
inline Array Normals(int64_t n, int64_t columns, uint64_t seed, double scale = 1,
                     double shift = 0) {
  Array rows(DType::kFloat64, {n, columns});
  NormalRows<double>(seed, Stream::kGenerate, 0, 0, columns, rows.as<double>());
  for (double& v : rows.as<double>()) v = shift + scale * v;
  return rows;
}

}  // namespace sluiced::evaluation
