#include "server/flows/base_draws.h"

namespace sluiced::flows {

int64_t NormalColumns(const FlowSpec& spec) {
  if (spec.base == Base::kStudentT) return 2 * spec.dim;
  return spec.base == Base::kMixture ? spec.dim + 1 : spec.dim;
}

}  // namespace sluiced::flows
