// Exposition: Prometheus's text format, read and checked.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace sluice::testing {

// The values of one text, by their line without the value:
// `sluice_rows_total{method="LogProb"}`.
struct Exposition {
  std::map<std::string, double> values;
  std::map<std::string, std::string> types;  // By family: "counter".
  std::vector<std::string> complaints;       // What a scraper would not take.

  // 0 where there is none.
  double Value(const std::string& series) const;
  // Whether a family has this name, or this is the _bucket, _sum or _count of one.
  bool Knows(const std::string& metric) const;
};
Exposition ReadExposition(const std::string& text);

}  // namespace sluice::testing
