#include "server/engine/simd_target.h"

#include "hwy/highway.h"

namespace sluiced::engine {

std::vector<SimdTarget> SimdTargets() {
  // Better targets have lower bits.
  std::vector<SimdTarget> targets;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    targets.push_back({hwy::TargetName(target), target});
  }
  return targets;
}

void UseSimdTarget(const SimdTarget& target) { hwy::GetChosenTarget().Update(target.id); }

}  // namespace sluiced::engine
