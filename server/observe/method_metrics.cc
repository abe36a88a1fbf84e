#include "server/observe/method_metrics.h"

#include <utility>

#include "absl/strings/string_view.h"
#include "server/observe/rejection.h"

namespace sluiced::observe {

MethodMetrics::Series::Series(const std::string& method, Families* families)
    : in_flight(families->in_flight.Add({{"method", method}})),
      duration(families->duration.Add({{"method", method}}, SecondsBuckets())),
      queue(families->queue.Add({{"method", method}}, SecondsBuckets())),
      compute(families->compute.Add({{"method", method}}, SecondsBuckets())) {}

MethodMetrics::MethodMetrics(std::string name, Families* families)
    : name_(std::move(name)), families_(families) {}

MethodMetrics::Series& MethodMetrics::series() {
  std::call_once(used_, [this] { series_ = std::make_unique<Series>(name_, families_); });
  return *series_;
}

prometheus::Counter& MethodMetrics::CounterOf(absl::StatusCode code) {
  auto number = static_cast<size_t>(code);
  if (number >= kCodes) number = static_cast<size_t>(absl::StatusCode::kUnknown);
  prometheus::Counter* counter = by_code_[number].load(std::memory_order_acquire);
  if (counter == nullptr) {
    // Two who come first together are given the same one.
    const std::string word = absl::StatusCodeToString(static_cast<absl::StatusCode>(number));
    counter = &families_->requests.Add({{"method", name_}, {"code", word}});
    by_code_[number].store(counter, std::memory_order_release);
  }
  return *counter;
}

// Most methods know no rows.
prometheus::Counter& MethodMetrics::RowCounter() {
  prometheus::Counter* counter = counted_rows_.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &families_->rows.Add({{"method", name_}});
    counted_rows_.store(counter, std::memory_order_release);
  }
  return *counter;
}

void MethodMetrics::CountRejection(const absl::Status& status, bool ran) {
  const absl::string_view reason = RejectionOf(status, ran);
  if (reason.empty()) return;
  families_->rejected.Add({{"reason", std::string(reason)}}).Increment();
}

void MethodMetrics::Begin() {
  series().in_flight.Increment();
  in_flight_.fetch_add(1, std::memory_order_relaxed);
}

void MethodMetrics::End(const absl::Status& status, const CallTimer& timer, int64_t rows) {
  Series& mine = series();
  CounterOf(status.code()).Increment();
  mine.duration.Observe(timer.total());
  mine.queue.Observe(timer.queued());
  mine.compute.Observe(timer.running());
  if (rows > 0) RowCounter().Increment(static_cast<double>(rows));
  mine.in_flight.Decrement();
  window_.Add({.seconds = timer.total(), .rows = rows, .failed = !status.ok()});
  if (!status.ok()) {
    failed_.fetch_add(1, std::memory_order_relaxed);
    CountRejection(status, timer.ran());
  }
  rows_.fetch_add(rows, std::memory_order_relaxed);
  calls_.fetch_add(1, std::memory_order_relaxed);
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
}

MethodMetrics::Totals MethodMetrics::Read() const {
  return {.calls = calls_.load(std::memory_order_relaxed),
          .failed = failed_.load(std::memory_order_relaxed),
          .rows = rows_.load(std::memory_order_relaxed),
          .in_flight = in_flight_.load(std::memory_order_relaxed),
          .recent = window_.Read()};
}

}  // namespace sluiced::observe
