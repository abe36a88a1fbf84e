#include "tests/bench/service_table.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sluiced::bench {
namespace {

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string Text(const std::optional<double>& value) {
  if (!value) return "";
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", *value);
  return text;
}

std::string TargetText(const Figure& figure) {
  if (!figure.target) return "";
  return (figure.target->side == Target::Side::kAtLeast ? ">= " : "<= ") +
         Text(figure.target->value);
}

}  // namespace

bool Figure::reached() const {
  if (!target) return true;
  return target->side == Target::Side::kAtLeast ? judged() >= target->value
                                                : judged() <= target->value;
}

void Rounds::Add(double ours, double floor) {
  ours_.push_back(ours);
  floors_.push_back(floor);
  ratios_.push_back(floor > 0 ? ours / floor : 0);
}

Figure Rounds::ToFigure(const std::string& name, const std::string& unit, Target target) const {
  return {.name = name,
          .unit = unit,
          .ours = Median(ours_),
          .floor = Median(floors_),
          .ratio = Median(ratios_),
          .target = target};
}

void PrintHeadings() {
  std::printf("%-58s %-10s %11s %11s %8s %8s\n", "what", "unit", "sluice", "floor", "ratio",
              "target");
  std::fflush(stdout);
}

void PrintFigure(const Figure& figure) {
  std::printf("%-58s %-10s %11s %11s %8s %8s%s\n", figure.name.c_str(), figure.unit.c_str(),
              Text(figure.ours).c_str(), Text(figure.floor).c_str(), Text(figure.ratio).c_str(),
              TargetText(figure).c_str(), figure.reached() ? "" : "  missed");
  std::fflush(stdout);
}

void WriteJson(const std::vector<Figure>& figures, const std::string& path) {
  nlohmann::ordered_json document = nlohmann::ordered_json::array();
  for (const Figure& figure : figures) {
    nlohmann::ordered_json row{
        {"name", figure.name}, {"unit", figure.unit}, {"sluice", figure.ours}};
    if (figure.floor) row["floor"] = *figure.floor;
    if (figure.ratio) row["ratio"] = *figure.ratio;
    if (figure.target) {
      row["target"] = TargetText(figure);
      row["reached"] = figure.reached();
    }
    document.push_back(std::move(row));
  }
  std::ofstream(path) << document.dump(1) << "\n";
}

}  // namespace sluiced::bench
