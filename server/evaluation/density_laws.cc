#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/common/philox.h"
#include "server/common/status_macros.h"
#include "server/evaluation/base_places.h"
#include "server/evaluation/laws.h"
#include "server/evaluation/mean_error.h"
#include "server/evaluation/ranks.h"

namespace sluiced::evaluation {
namespace {

struct Side {
  double low, high;
};

// A bounded column's support; of others what holds all but one draw in a thousand: what
// lies beyond is counted, not integrated.
Side SideOf(const flows::Column& column, std::vector<double> draws) {
  std::sort(draws.begin(), draws.end());
  const size_t cut = draws.size() / 2000;
  Side side{draws[cut], draws[draws.size() - 1 - cut]};
  if (column.support == flows::Support::kInterval || column.support == flows::Support::kPeriodic) {
    return {column.low, column.high};
  }
  if (column.support == flows::Support::kPositive) side.low = 0;
  return side;
}

double ShareInside(const Array& x, const std::vector<Side>& box) {
  int64_t inside = 0;
  const auto dim = static_cast<int64_t>(box.size());
  for (int64_t row = 0; row < x.rows(); ++row) {
    bool in = true;
    for (int64_t i = 0; i < dim; ++i) {
      const double value = x.At(row * dim + i);
      const Side& side = box[static_cast<size_t>(i)];
      in = in && value >= side.low && value <= side.high;
    }
    inside += in ? 1 : 0;
  }
  return static_cast<double>(inside) / static_cast<double>(x.rows());
}

// Of equal cells, `side` of them a column.
struct Cells {
  const std::vector<Side>& box;
  int64_t side;

  int64_t count() const { return box.size() == 1 ? side : side * side; }
  double volume() const {
    double volume = 1;
    for (const Side& s : box) volume *= (s.high - s.low) / static_cast<double>(side);
    return volume;
  }
  // A number of column `column` at random in cell `cell`.
  double Within(int64_t cell, size_t column, double dice) const {
    const int64_t place = column == 0 ? cell % side : cell / side;
    const Side& s = box[column];
    return s.low +
           (static_cast<double>(place) + dice) / static_cast<double>(side) * (s.high - s.low);
  }
};

// Two points at random in each of the cells [first, first + count).
Array PointsIn(const Cells& cells, int64_t first, int64_t count, PhiloxReader& random) {
  const size_t dim = cells.box.size();
  Array points(DType::kFloat64, {2 * count, static_cast<int64_t>(dim)});
  const std::span<double> numbers = points.as<double>();
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = cells.Within(first + static_cast<int64_t>(i / dim / 2), i % dim, random.Uniform());
  }
  return points;
}

// The integral of the density over the box by two points in each cell: unbiased, whatever
// edges the density has. Of a conditional flow at its first context.
absl::StatusOr<MeanError> IntegralOver(const LawInput& in, const Cells& cells) {
  constexpr int64_t kCellsAtOnce = 2048;
  PhiloxReader random(in.seed, Stream::kEvaluate, kCells);
  MeanError integral;
  double variance = 0;
  for (int64_t first = 0; first < cells.count(); first += kCellsAtOnce) {
    const Array points =
        PointsIn(cells, first, std::min(kCellsAtOnce, cells.count() - first), random);
    const std::vector<int64_t> same(static_cast<size_t>(points.rows()), 0);
    const Array context = in.context.size() == 0 ? in.context : TakeRows(in.context, same);
    ASSIGN_OR_RETURN(const std::vector<double> scores,
                     ScoreRows(in.flow, Beside(points.To(in.x.dtype()), context), in.keep_going));
    for (size_t i = 0; i < scores.size(); i += 2) {
      const double a = cells.volume() * std::exp(scores[i]);
      const double b = cells.volume() * std::exp(scores[i + 1]);
      integral.mean += (a + b) / 2;
      variance += (a - b) * (a - b) / 4;
    }
  }
  integral.error = std::sqrt(variance);
  return integral;
}

// Draws at the first context alone, of a conditional flow; else those there are.
absl::StatusOr<Array> DrawsOfOneDensity(const LawInput& in) {
  if (in.context.size() == 0) return in.x;
  const std::vector<int64_t> same(static_cast<size_t>(in.x.rows()), 0);
  ASSIGN_OR_RETURN(
      const flows::Samples samples,
      DrawRows(in.flow, in.x.rows(), in.seed, 0, TakeRows(in.context, same), in.keep_going));
  return TakeRows(samples.x, FiniteRowsOf(samples));
}

// A draw that maps to no number is as far off as can be.
double FurthestOf(const std::vector<double>& places) {
  for (double place : places) {
    if (std::isnan(place)) return 1;
  }
  return KsOfUniform(places).distance;
}

}  // namespace

absl::StatusOr<Law> IntegralLaw(const LawInput& in) {
  constexpr double kSure = 1e-3;
  const flows::FlowSpec& spec = in.flow.state().spec;
  Law law{.name = "integral"};
  if (spec.dim > 2) {
    law.checked = false;
    law.description = "not checked: densities of one and two columns can be integrated";
    return law;
  }
  ASSIGN_OR_RETURN(const Array draws, DrawsOfOneDensity(in));
  if (draws.rows() < kFewestTestedDraws / 2) {
    law.checked = false;
    law.description = "not checked: too few draws at one context are finite";
    return law;
  }
  const std::vector<flows::Column> columns = flows::ColumnsOf(spec);
  std::vector<Side> box;
  for (size_t i = 0; i < columns.size(); ++i) {
    box.push_back(SideOf(columns[i], ColumnOf(draws, static_cast<int64_t>(i))));
  }
  const double inside = ShareInside(draws, box);
  const auto count = static_cast<double>(draws.rows());
  const double of_draws = std::sqrt(std::max(inside * (1 - inside), 1 / count) / count);
  const int64_t most = spec.dim == 1 ? 1 << 14 : 256;
  MeanError integral;
  // As sure as the draws are.
  for (int64_t side = most / 16; side <= most; side *= 2) {
    ASSIGN_OR_RETURN(integral, IntegralOver(in, Cells{box, side}));
    if (integral.error < std::max(kSure, of_draws)) break;
  }
  law.measured = std::abs(integral.mean - inside);
  law.tolerance = 5e-3 + 4 * integral.error + 4 * of_draws;
  law.description = absl::StrFormat(
      "integral %.4f \u00b1 %.4f of the density over a box that holds %.4f of the draws",
      integral.mean, integral.error, inside);
  return law;
}

absl::StatusOr<Law> BaseLaw(const LawInput& in) {
  constexpr double kByChance = 1e-4;  // Of all columns together.
  const flows::FlowState& state = in.flow.state();
  ASSIGN_OR_RETURN(const flows::Images z,
                   MapRows(in.flow, Space::kData, Beside(in.x, in.context), in.keep_going));
  Law law{.name = "base"};
  int64_t furthest = 0;
  for (int64_t column = 0; column < state.spec.dim; ++column) {
    const double distance = FurthestOf(BasePlaces(state, z.values, column));
    if (distance > law.measured) furthest = column;
    law.measured = std::max(law.measured, distance);
  }
  law.tolerance = KsDistanceAt(kByChance / static_cast<double>(state.spec.dim),
                               static_cast<double>(in.x.rows()));
  law.description = absl::StrCat("largest Kolmogorov-Smirnov distance of z of ", in.x.rows(),
                                 " draws to the base, in column ", furthest);
  return law;
}

}  // namespace sluiced::evaluation
