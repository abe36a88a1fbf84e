#include "server/targets/smc.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/targets/particles.h"

namespace sluiced::targets {
namespace {

// Moves after each raise, and after the last one: what resampling doubled moves apart.
constexpr int kMoves = 3;
constexpr int kLastMoves = 30;

}  // namespace

absl::StatusOr<SmcRows> DrawBySmc(const Target& target, int64_t rows, uint64_t seed,
                                  const std::function<absl::Status()>& keep_going) {
  Particles particles(target, rows, seed);
  SmcRows out;
  while (particles.power() < 1) {
    const double mean_weight = particles.RaiseTo(particles.NextPower());
    if (!std::isfinite(mean_weight)) {
      return absl::FailedPreconditionError(
          absl::StrCat("none of ", rows, " rows found the support of ", target.name()));
    }
    out.log_z += mean_weight;
    const int moves = particles.power() < 1 ? kMoves : kLastMoves;
    for (int i = 0; i < moves; ++i) RETURN_IF_ERROR(particles.Move(keep_going));
  }
  out.x = Array(DType::kFloat64, {rows, target.dim()});
  std::ranges::copy(particles.x(), out.x.as<double>().begin());
  return out;
}

}  // namespace sluiced::targets
