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

// The integral of the density over the box in cells, `side` of them a column, by two
// points at random in each: unbiased, whatever edges the density has. Of a conditional
// flow at its first context.
absl::StatusOr<MeanError> IntegralOver(const LawInput& in, const std::vector<Side>& box,
                                       int64_t side) {
  const size_t dim = box.size();
  int64_t cells = 1;
  double volume = 1;
  for (const Side& s : box) {
    cells *= side;
    volume *= (s.high - s.low) / static_cast<double>(side);
  }
  PhiloxReader random(in.seed, Stream::kEvaluate, kCells);
  Array points(DType::kFloat64, {2 * cells, static_cast<int64_t>(dim)});
  const std::span<double> numbers = points.as<double>();
  for (size_t i = 0; i < numbers.size(); ++i) {
    const size_t column = i % dim;
    auto cell = static_cast<int64_t>(i / dim / 2);
    if (column == 1) cell /= side;
    const double at =
        (static_cast<double>(cell % side) + random.Uniform()) / static_cast<double>(side);
    numbers[i] = box[column].low + at * (box[column].high - box[column].low);
  }
  const std::vector<int64_t> same(static_cast<size_t>(2 * cells), 0);
  const Array context = in.context.size() == 0 ? in.context : TakeRows(in.context, same);
  ASSIGN_OR_RETURN(const std::vector<double> scores,
                   ScoreRows(in.flow, Beside(points.To(in.x.dtype()), context), in.keep_going));
  MeanError integral;
  double variance = 0;
  for (size_t i = 0; i < scores.size(); i += 2) {
    const double a = volume * std::exp(scores[i]), b = volume * std::exp(scores[i + 1]);
    integral.mean += (a + b) / 2;
    variance += (a - b) * (a - b) / 4;
  }
  integral.error = std::sqrt(variance);
  return integral;
}

// Draws at the first context alone, of a conditional flow; else those there are.
absl::StatusOr<Array> DrawsOfOneDensity(const LawInput& in) {
  if (in.context.size() == 0) return in.x;
  const std::vector<int64_t> same(static_cast<size_t>(in.x.rows()), 0);
  ASSIGN_OR_RETURN(flows::Samples samples, DrawRows(in.flow, in.x.rows(), in.seed, 0,
                                                    TakeRows(in.context, same), in.keep_going));
  return std::move(samples.x);
}

}  // namespace

absl::StatusOr<Law> IntegralLaw(const LawInput& in) {
  constexpr double kSure = 2e-3;
  const flows::FlowSpec& spec = in.flow.state().spec;
  Law law{.name = "integral"};
  if (spec.dim > 2) {
    law.checked = false;
    law.description = "not checked: densities of one and two columns can be integrated";
    return law;
  }
  ASSIGN_OR_RETURN(const Array draws, DrawsOfOneDensity(in));
  const std::vector<flows::Column> columns = flows::ColumnsOf(spec);
  std::vector<Side> box;
  for (size_t i = 0; i < columns.size(); ++i) {
    box.push_back(SideOf(columns[i], ColumnOf(draws, static_cast<int64_t>(i))));
  }
  const double inside = ShareInside(draws, box);
  const int64_t most = spec.dim == 1 ? 1 << 16 : 512;
  MeanError integral;
  for (int64_t side = most / 8; side <= most; side *= 2) {
    ASSIGN_OR_RETURN(integral, IntegralOver(in, box, side));
    if (integral.error < kSure) break;
  }
  const double count = static_cast<double>(draws.rows());
  law.measured = std::abs(integral.mean - inside);
  law.tolerance =
      5e-3 + 4 * integral.error + 4 * std::sqrt(std::max(inside * (1 - inside), 1 / count) / count);
  law.description = absl::StrFormat(
      "integral %.4f +- %.4f of the density over a box that holds %.4f of the draws", integral.mean,
      integral.error, inside);
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
    const double distance = KsOfUniform(BasePlaces(state, z.values, column)).distance;
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
