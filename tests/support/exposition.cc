#include "tests/support/exposition.h"

#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>

namespace sluice::testing {
namespace {

// "a" of "a_bucket", where the family is a histogram.
std::string FamilyOf(const Exposition& exposition, const std::string& metric) {
  if (exposition.types.contains(metric)) return metric;
  for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
    if (!metric.ends_with(suffix)) continue;
    const std::string family = metric.substr(0, metric.size() - suffix.size());
    const auto found = exposition.types.find(family);
    if (found != exposition.types.end() && found->second == "histogram") return family;
  }
  return "";
}

// Names as https://prometheus.io/docs/practices/naming/ has them.
void CheckName(const std::string& name, const std::string& type, Exposition* exposition) {
  static const std::regex form("[a-z][a-z0-9_]*");
  const bool total = name.ends_with("_total");
  if (!std::regex_match(name, form)) exposition->complaints.push_back(name + " is no name");
  if (total != (type == "counter")) exposition->complaints.push_back(name + " is a " + type);
}

void ReadSample(const std::string& line, Exposition* exposition) {
  static const std::regex form(R"re(([a-z_0-9]+)(\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})? (\S+))re");
  std::smatch parts;
  if (!std::regex_match(line, parts, form)) {
    exposition->complaints.push_back("no sample: " + line);
    return;
  }
  if (FamilyOf(*exposition, parts[1]).empty()) {
    exposition->complaints.push_back("no TYPE before: " + line);
  }
  const std::string series = parts[1].str() + parts[2].str();
  if (!exposition->values.emplace(series, std::strtod(parts[3].str().c_str(), nullptr)).second) {
    exposition->complaints.push_back("twice: " + series);
  }
}

}  // namespace

double Exposition::Value(const std::string& series) const {
  const auto found = values.find(series);
  return found == values.end() ? 0 : found->second;
}

bool Exposition::Knows(const std::string& metric) const { return !FamilyOf(*this, metric).empty(); }

Exposition ReadExposition(const std::string& text) {
  Exposition exposition;
  std::set<std::string> helped;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, kind, name, rest;
    if (line.rfind("# ", 0) != 0) {
      ReadSample(line, &exposition);
      continue;
    }
    words >> hash >> kind >> name >> rest;
    if (kind == "HELP") {
      if (rest.empty()) exposition.complaints.push_back(name + " has no help");
      helped.insert(name);
    } else if (kind == "TYPE") {
      if (!helped.contains(name)) exposition.complaints.push_back(name + " has no HELP");
      if (!exposition.types.emplace(name, rest).second) {
        exposition.complaints.push_back("two families " + name);
      }
      CheckName(name, rest, &exposition);
    }
  }
  return exposition;
}

}  // namespace sluice::testing
