// MethodMetrics: what the calls of one method add up to.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "server/observe/call_timer.h"
#include "server/observe/families.h"
#include "server/observe/latency_window.h"

namespace sluiced::observe {

// Thread-safe. A call costs less than a microsecond: what it adds to is looked up by its
// labels once in the life of the process.
class MethodMetrics {
 public:
  MethodMetrics(std::string name, Families* families);

  void Begin();
  // Once for each Begin, with the timer at rest.
  void End(const absl::Status& status, const CallTimer& timer, int64_t rows);

  const std::string& name() const { return name_; }
  struct Totals {
    int64_t calls = 0, failed = 0, rows = 0, in_flight = 0;  // Calls that have ended.
    LatencyWindow::Recent recent;
  };
  Totals Read() const;

 private:
  static constexpr size_t kCodes = 17;  // Of gRPC.

  struct Series {
    Series(const std::string& method, Families* families);
    prometheus::Gauge& in_flight;
    prometheus::Histogram& duration;
    prometheus::Histogram& queue;
    prometheus::Histogram& compute;
  };
  using Counter = std::atomic<prometheus::Counter*>;  // Null until it is first added to.
  // Made at the first call, so that methods which nobody calls take no room.
  Series& series();
  prometheus::Counter& CounterOf(absl::StatusCode code);
  prometheus::Counter& RowCounter();
  void CountRejection(const absl::Status& status, bool ran);

  const std::string name_;
  Families* const families_;
  std::once_flag used_;
  std::unique_ptr<Series> series_;
  std::array<Counter, kCodes> by_code_{};
  Counter counted_rows_ = nullptr;
  LatencyWindow window_;
  std::atomic<int64_t> calls_ = 0, failed_ = 0, rows_ = 0, in_flight_ = 0;
};

}  // namespace sluiced::observe
