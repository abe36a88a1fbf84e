#include "client/src/backoff.h"

#include <algorithm>

namespace sluice {

std::chrono::milliseconds Backoff::Next() {
  std::uniform_int_distribution<int64_t> draw(span_.count() / 2, span_.count());
  const std::chrono::milliseconds wait(draw(random_));
  span_ = std::min(span_ * 2, kLast);
  return wait;
}

}  // namespace sluice
