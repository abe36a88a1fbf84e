#include "server/access/rate_limiter.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluiced::access {
namespace {

constexpr size_t kFewCallers = 1024;
// Between them, interval and slack stay far from the ends of 64 bits of nanoseconds.
constexpr double kLeastRate = 1e-3;
constexpr double kMost = 1e6;

bool ParseNumber(absl::string_view text, double least, double* number) {
  return absl::SimpleAtod(text, number) && *number >= least && *number <= kMost;
}

RateLimiter::Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<RateLimiter::Clock::duration>(
      std::chrono::duration<double>(seconds));
}

}  // namespace

absl::StatusOr<Rate> ParseRate(absl::string_view text) {
  const size_t colon = text.find(':');
  Rate rate;
  bool ok = ParseNumber(text.substr(0, colon), kLeastRate, &rate.per_second);
  if (ok && colon == absl::string_view::npos) {
    rate.burst = std::max(1.0, std::ceil(rate.per_second));
  } else if (ok) {
    ok = ParseNumber(text.substr(colon + 1), 1, &rate.burst);
  }
  if (ok) return rate;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is not REQUESTS_PER_SECOND[:BURST], such as 10 or 0.5:20"));
}

RateLimiter::RateLimiter(const Rate& rate, Now now)
    : now_(std::move(now)),
      interval_(Seconds(1 / rate.per_second)),
      slack_(Seconds((rate.burst - 1) / rate.per_second)),
      forget_at_(kFewCallers) {}

absl::Duration RateLimiter::Take(const std::string& caller) {
  const Clock::time_point now = now_();
  std::lock_guard<std::mutex> lock(mu_);
  if (full_at_.size() >= forget_at_) ForgetRestedLocked(now);
  Clock::time_point& full_at = full_at_.try_emplace(caller, now).first->second;
  full_at = std::max(full_at, now);
  const Clock::duration wait = full_at - now - slack_;
  if (wait > Clock::duration::zero()) return absl::FromChrono(wait);
  full_at += interval_;
  return absl::ZeroDuration();
}

size_t RateLimiter::callers() const {
  std::lock_guard<std::mutex> lock(mu_);
  return full_at_.size();
}

// A full bucket is as good as none. Seldom enough that each call pays a constant.
void RateLimiter::ForgetRestedLocked(Clock::time_point now) {
  std::erase_if(full_at_, [now](const auto& entry) { return entry.second <= now; });
  forget_at_ = std::max(kFewCallers, 2 * full_at_.size());
}

}  // namespace sluiced::access
