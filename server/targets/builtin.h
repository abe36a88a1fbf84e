// The built-in targets, by family. Each call makes new ones.
#pragma once

#include <memory>
#include <vector>

#include "server/targets/target.h"

namespace sluiced::targets {

using TargetList = std::vector<std::unique_ptr<const Target>>;

TargetList Moons();           // seed-moons, two-moons.
TargetList RezendeMohamed();  // u1 to u4.
TargetList Gaussians();       // gaussian, gaussian-mixture, ring.
TargetList BananaAndFunnels();

}  // namespace sluiced::targets
