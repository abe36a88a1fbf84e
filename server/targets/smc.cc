#include "server/targets/smc.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/common/array_parts.h"
#include "server/common/status_macros.h"
#include "server/targets/particles.h"

namespace sluiced::targets {
namespace {

// Moves after each raise, and after the last one: what resampling doubled moves apart.
constexpr int kMoves = 3;
constexpr int kLastMoves = 30;

// Spread evenly over `count`: particles of one ancestor stand side by side.
std::vector<int64_t> SomeOf(int64_t count, int64_t wanted) {
  std::vector<int64_t> rows(static_cast<size_t>(wanted));
  for (int64_t i = 0; i < wanted; ++i) rows[static_cast<size_t>(i)] = i * count / wanted;
  return rows;
}

}  // namespace

absl::StatusOr<SmcRows> DrawBySmc(const Target& target, int64_t rows, uint64_t seed,
                                  const std::function<absl::Status()>& keep_going) {
  const int64_t count = std::max(rows, kFewestParticles);
  Particles particles(target, count, seed);
  SmcRows out;
  while (particles.power() < 1) {
    const double mean_weight = particles.RaiseTo(particles.NextPower());
    if (!std::isfinite(mean_weight)) {
      return absl::FailedPreconditionError(
          absl::StrCat("none of ", count, " rows found the support of ", target.name()));
    }
    out.log_z += mean_weight;
    const int moves = particles.power() < 1 ? kMoves : kLastMoves;
    for (int i = 0; i < moves; ++i) RETURN_IF_ERROR(particles.Move(keep_going));
  }
  Array all(DType::kFloat64, {count, target.dim()});
  std::ranges::copy(particles.x(), all.as<double>().begin());
  out.x = rows < count ? TakeRows(all, SomeOf(count, rows)) : std::move(all);
  return out;
}

}  // namespace sluiced::targets
