#include "server/observe/families.h"

#include <string>

namespace sluiced::observe {
namespace {

using prometheus::Registry;

CounterFamily& MakeCounter(Registry* registry, const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry);
}

GaugeFamily& MakeGauge(Registry* registry, const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry);
}

HistogramFamily& MakeHistogram(Registry* registry, const std::string& name,
                               const std::string& help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry);
}

}  // namespace

Families::Families(Registry* registry)
    : requests(MakeCounter(registry, "sluice_requests_total",
                           "Calls that have ended, by method and status code; a stream is one")),
      in_flight(MakeGauge(registry, "sluice_requests_in_flight", "Calls that have not ended yet")),
      duration(MakeHistogram(registry, "sluice_request_duration_seconds",
                             "Time from a call's arrival to its end; of streams, all of it")),
      queue(MakeHistogram(registry, "sluice_request_queue_seconds",
                          "Time that a call waited for threads, over all its steps")),
      compute(MakeHistogram(registry, "sluice_request_compute_seconds",
                            "Time from when the steps of a call were begun to their ends")),
      rows(MakeCounter(registry, "sluice_rows_total", "Rows that calls asked for or brought")),
      rejected(MakeCounter(registry, "sluice_requests_rejected_total",
                           "Calls that were refused without being worked on, by reason")),
      batch_rows(MakeHistogram(registry, "sluice_batch_rows", "Rows that one batch computed")),
      batch_requests(
          MakeHistogram(registry, "sluice_batch_requests", "Calls that shared one batch")),
      store(MakeHistogram(registry, "sluice_store_operation_seconds",
                          "Time that operations of the store took")) {}

const prometheus::Histogram::BucketBoundaries& SecondsBuckets() {
  static const prometheus::Histogram::BucketBoundaries buckets = {
      5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05,
      0.1,  0.25, 0.5,    1,    2.5,  5,      10,   30,   60,    300};
  return buckets;
}

const prometheus::Histogram::BucketBoundaries& CountBuckets() {
  static const auto buckets = [] {
    prometheus::Histogram::BucketBoundaries powers;
    for (int i = 0; i <= 20; ++i) powers.push_back(static_cast<double>(1 << i));
    return powers;
  }();
  return buckets;
}

}  // namespace sluiced::observe
