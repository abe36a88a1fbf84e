// ByteBudget: bounds the memory of what was received and is not yet answered.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"

namespace sluiced::serving {

// Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(int64_t bytes) : left_(bytes) {}

  // What one call holds of the budget; gives it back when it goes. Not thread-safe.
  class Share {
   public:
    explicit Share(ByteBudget* budget) : budget_(budget) {}
    ~Share() { Set(0).IgnoreError(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Holds `bytes` from now on, instead of what it held; RESOURCE_EXHAUSTED
    // (RetryInfo), and holds what it held, when there is not so much.
    absl::Status Set(int64_t bytes);
    int64_t bytes() const { return bytes_; }

   private:
    ByteBudget* const budget_;
    int64_t bytes_ = 0;
  };

 private:
  std::atomic<int64_t> left_;
};

}  // namespace sluiced::serving
