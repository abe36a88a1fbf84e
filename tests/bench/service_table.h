// What the service's benchmark gave, as a table and as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sluiced::bench {

struct Target {
  enum class Side { kAtLeast, kAtMost };
  Side side;
  double value;
};

// One figure, beside what it is held against where there is such a thing.
struct Figure {
  std::string name;  // "log_prob, 1 row, concurrency 1: p50"
  std::string unit;
  double ours = 0;
  std::optional<double> floor = std::nullopt;
  std::optional<double> ratio = std::nullopt;   // The median of the rounds'.
  std::optional<Target> target = std::nullopt;  // Of the ratio; without one, of `ours`.

  double judged() const { return ratio.value_or(ours); }
  bool reached() const;  // True without a target.
};

// What was measured in turn, round by round: its medians and that of its ratios.
class Rounds {
 public:
  void Add(double ours, double floor);
  Figure ToFigure(const std::string& name, const std::string& unit, Target target) const;

 private:
  std::vector<double> ours_, floors_, ratios_;
};

void PrintFigure(const Figure& figure);
void PrintHeadings();
// An array of one object a figure.
void WriteJson(const std::vector<Figure>& figures, const std::string& path);

}  // namespace sluiced::bench
