// Rows of a target by sequential Monte Carlo (Del Moral, Doucet and Jasra 2006): they
// start far spread and the density is raised step by step, so that modes far apart are
// all found, each with its share. No LibTorch here.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/targets/target.h"

namespace sluiced::targets {

// With fewer the shares of the modes are left to chance: fewer rows are some of them.
inline constexpr int64_t kFewestParticles = 20'000;

struct SmcRows {
  Array x;           // [rows, dim] float64.
  double log_z = 0;  // Found on the way.
};

// Memory: some eight times that of the rows, or of kFewestParticles. A pure function of
// its first three arguments; `keep_going` is asked every few milliseconds and ends it with its
// error. FAILED_PRECONDITION where no row finds the target's support.
absl::StatusOr<SmcRows> DrawBySmc(const Target& target, int64_t rows, uint64_t seed,
                                  const std::function<absl::Status()>& keep_going);

}  // namespace sluiced::targets
