#include "server/observe/metrics.h"

#include <prometheus/text_serializer.h>

#include <iterator>
#include <sstream>
#include <utility>

#include "absl/time/clock.h"
#include "server/observe/process_usage.h"
#include "server/observe/rejection.h"
#include "server/observe/state_families.h"

namespace sluiced::observe {

Metrics::Metrics(const std::vector<std::string>& methods, BuildInfo build)
    : build_(std::move(build)),
      start_time_(absl::Now()),
      families_(&registry_),
      batch_rows_(families_.batch_rows.Add({}, CountBuckets())),
      batch_requests_(families_.batch_requests.Add({}, CountBuckets())) {
  for (const std::string& method : methods) {
    methods_.push_back(std::make_unique<MethodMetrics>(method, &families_));
  }
  // A rate begins at 0, not at the first rejection.
  for (const absl::string_view reason : kRejections) {
    families_.rejected.Add({{"reason", std::string(reason)}});
  }
}

void Metrics::CountBatch(int64_t requests, int64_t rows) {
  batch_requests_.Observe(static_cast<double>(requests));
  batch_rows_.Observe(static_cast<double>(rows));
}

prometheus::Histogram& Metrics::StoreOperation(const std::string& operation) {
  return families_.store.Add({{"operation", operation}}, SecondsBuckets());
}

void Metrics::SetState(std::function<ServerState()> state) {
  std::lock_guard<std::mutex> lock(mu_);
  state_ = std::move(state);
}

ServerState Metrics::State() const {
  std::lock_guard<std::mutex> lock(mu_);
  return state_ ? state_() : ServerState();
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  const auto add = [&families](std::vector<prometheus::MetricFamily> more) {
    families.insert(families.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  };
  add(FamiliesOf(State()));
  add(FamiliesOf(jobs_.All()));
  add(FamiliesOf(ReadProcessUsage()));
  add({BuildInfoFamily({{"version", build_.version},
                        {"torch", build_.torch},
                        {"grpc", build_.grpc},
                        {"simd", build_.simd}})});
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

}  // namespace sluiced::observe
