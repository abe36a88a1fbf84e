// Backoff: how long to wait between attempts to reconnect.
#pragma once

#include <chrono>
#include <random>

namespace sluice {

// Doubles from 100 ms to 2 s; each wait is drawn from the upper half of its span,
// so that many watchers of a server that went away do not come back in step. Not
// thread-safe.
class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kLast{2000};

  explicit Backoff(uint32_t seed) : random_(seed) {}

  std::chrono::milliseconds Next();
  void Reset() { span_ = kFirst; }

 private:
  std::minstd_rand random_;
  std::chrono::milliseconds span_ = kFirst;
};

}  // namespace sluice
