// Families: the metrics that calls and the store add to, by name.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace sluiced::observe {

using CounterFamily = prometheus::Family<prometheus::Counter>;
using GaugeFamily = prometheus::Family<prometheus::Gauge>;
using HistogramFamily = prometheus::Family<prometheus::Histogram>;

// The families of one registry, which must outlive it. Thread-safe: so are they.
struct Families {
  explicit Families(prometheus::Registry* registry);

  CounterFamily& requests;
  GaugeFamily& in_flight;
  HistogramFamily& duration;
  HistogramFamily& queue;
  HistogramFamily& compute;
  CounterFamily& rows;
  CounterFamily& rejected;
  HistogramFamily& batch_rows;
  HistogramFamily& batch_requests;
  HistogramFamily& store;
};

// From 50 us to 5 minutes: a call of one row takes some 100 us, a model's loading
// seconds; what lasts longer is a stream that a person looks at.
const prometheus::Histogram::BucketBoundaries& SecondsBuckets();
// 1, 2, 4, ... 2^20: of rows and of requests in a batch.
const prometheus::Histogram::BucketBoundaries& CountBuckets();

}  // namespace sluiced::observe
