// Budget: bounds what all calls together have received or asked for and is not yet
// answered, in bytes or in rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace sluiced::serving {

// Thread-safe.
class Budget {
 public:
  // `unit` for people: "bytes"; `reason` for programs, of refusals: "BYTES_IN_FLIGHT".
  Budget(int64_t amount, std::string unit, std::string reason)
      : amount_(amount), unit_(std::move(unit)), reason_(std::move(reason)), left_(amount) {}

  int64_t amount() const { return amount_; }
  int64_t held() const { return amount_ - left_.load(std::memory_order_relaxed); }

  // What one call holds of the budget; gives it back when it goes. Not thread-safe.
  class Share {
   public:
    explicit Share(Budget* budget) : budget_(budget) {}
    ~Share() { Set(0).IgnoreError(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Holds `amount` from now on, instead of what it held; RESOURCE_EXHAUSTED
    // (RetryInfo), and holds what it held, when there is not so much.
    absl::Status Set(int64_t amount);
    int64_t amount() const { return amount_; }

   private:
    Budget* const budget_;
    int64_t amount_ = 0;
  };

 private:
  const int64_t amount_;
  const std::string unit_;
  const std::string reason_;
  std::atomic<int64_t> left_;
};

}  // namespace sluiced::serving
