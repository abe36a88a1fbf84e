// Rational-quadratic splines.
#include "server/flows/spline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/flows/column_map.h"

namespace sluiced::flows {
namespace {

// [n, columns, bins + 1]
struct Knots {
  torch::Tensor x, y, slopes;
};

// Ends are set, not summed up to, so that no point falls between them.
torch::Tensor Positions(const torch::Tensor& raw, double bound) {
  const int64_t bins = raw.size(2);
  const torch::Tensor widths =
      torch::softmax(raw, 2) * (1 - kLeastBin * static_cast<double>(bins)) + kLeastBin;
  const torch::Tensor inner = widths.narrow(2, 0, bins - 1).cumsum(2) * (2 * bound) - bound;
  const torch::Tensor end = torch::full_like(raw.narrow(2, 0, 1), bound);
  return torch::cat({-end, inner, end}, 2);
}

// raw 0 makes slope 1.
torch::Tensor Slopes(const torch::Tensor& raw) {
  return torch::softplus(raw + std::log(std::expm1(1 - kLeastSlope))) + kLeastSlope;
}

// raw: [n, columns, outputs of each], all periodic or none.
Knots KnotsOf(const torch::Tensor& raw, int64_t bins, double bound, bool periodic) {
  Knots knots;
  knots.x = Positions(raw.narrow(2, 0, bins), bound);
  knots.y = Positions(raw.narrow(2, bins, bins), bound);
  const torch::Tensor slopes = Slopes(raw.narrow(2, 2 * bins, raw.size(2) - 2 * bins));
  if (periodic) {
    knots.slopes = torch::cat({slopes, slopes.narrow(2, 0, 1)}, 2);
  } else {
    const torch::Tensor one = torch::ones_like(knots.x.narrow(2, 0, 1));
    knots.slopes = torch::cat({one, slopes, one}, 2);
  }
  return knots;
}

// The piece that each point lies in: [n, columns] each.
struct Piece {
  torch::Tensor x, width, y, height, slope, next_slope;
};

Piece PieceAt(const Knots& knots, const torch::Tensor& positions, const torch::Tensor& point) {
  const int64_t bins = positions.size(2) - 1;
  // Knots at or below the point, but for the last; comparison takes no gradient.
  const torch::Tensor index =
      (positions.detach().narrow(2, 1, bins - 1) <= point.detach().unsqueeze(2))
          .sum(2, /*keepdim=*/true);
  const auto at = [](const torch::Tensor& of, const torch::Tensor& i) {
    return of.gather(2, i).squeeze(2);
  };
  Piece piece;
  piece.x = at(knots.x, index);
  piece.width = at(knots.x, index + 1) - piece.x;
  piece.y = at(knots.y, index);
  piece.height = at(knots.y, index + 1) - piece.y;
  piece.slope = at(knots.slopes, index);
  piece.next_slope = at(knots.slopes, index + 1);
  return piece;
}

// log dy/dx at the fraction t of the piece's width (Durkan et al. 2019, eq. 5).
torch::Tensor LogSlope(const Piece& piece, const torch::Tensor& t) {
  const torch::Tensor s = piece.height / piece.width;
  const torch::Tensor u = t * (1 - t);
  const torch::Tensor numerator =
      s.square() * (piece.next_slope * t.square() + 2 * s * u + piece.slope * (1 - t).square());
  const torch::Tensor denominator = s + (piece.next_slope + piece.slope - 2 * s) * u;
  return numerator.log() - 2 * denominator.log();
}

ColumnMaps::Result Forward(const Knots& knots, const torch::Tensor& x) {
  const Piece piece = PieceAt(knots, knots.x, x);
  const torch::Tensor t = (x - piece.x) / piece.width;
  const torch::Tensor s = piece.height / piece.width;
  const torch::Tensor u = t * (1 - t);
  const torch::Tensor y = piece.y + piece.height * (s * t.square() + piece.slope * u) /
                                        (s + (piece.next_slope + piece.slope - 2 * s) * u);
  return {y, LogSlope(piece, t)};
}

// The root of a quadratic (eqs. 6-8), in the form that does not cancel.
ColumnMaps::Result Backward(const Knots& knots, const torch::Tensor& y) {
  const Piece piece = PieceAt(knots, knots.y, y);
  const torch::Tensor s = piece.height / piece.width;
  const torch::Tensor above = y - piece.y;
  const torch::Tensor bend = piece.next_slope + piece.slope - 2 * s;
  const torch::Tensor a = piece.height * (s - piece.slope) + above * bend;
  const torch::Tensor b = piece.height * piece.slope - above * bend;
  const torch::Tensor c = -s * above;
  const torch::Tensor discriminant = (b.square() - 4 * a * c).clamp_min(0);
  const torch::Tensor t = (2 * c / (-b - discriminant.sqrt())).clamp(0, 1);
  return {piece.x + t * piece.width, -LogSlope(piece, t)};
}

class Splines final : public ColumnMaps {
 public:
  Splines(const FlowSpec& spec, ColumnRange range) : bins_(spec.bins), bound_(spec.bound) {
    int64_t first = 0;
    const std::vector<Column> columns = ColumnsOf(spec);
    for (int64_t i = range.begin; i < range.end; ++i) {
      const bool periodic = columns[static_cast<size_t>(i)].support == Support::kPeriodic;
      const int64_t outputs = OutputsOfColumn(spec, periodic);
      if (runs_.empty() || runs_.back().periodic != periodic) {
        runs_.push_back({periodic, i - range.begin, 0, first, outputs});
      }
      ++runs_.back().columns;
      first += outputs;
    }
  }

  Result ToBase(const torch::Tensor& outputs, const torch::Tensor& x) const override {
    return ByRun(outputs, x, Forward);
  }
  Result FromBase(const torch::Tensor& outputs, const torch::Tensor& z) const override {
    return ByRun(outputs, z, Backward);
  }

 private:
  // Neighbouring columns of one kind.
  struct Run {
    bool periodic;
    int64_t first, columns, first_output, outputs;
  };

  template <typename Map>
  Result ByRun(const torch::Tensor& outputs, const torch::Tensor& points, const Map& map) const {
    std::vector<torch::Tensor> values, ladjs;
    for (const Run& run : runs_) {
      const torch::Tensor raw = outputs.narrow(1, run.first_output, run.columns * run.outputs)
                                    .reshape({points.size(0), run.columns, run.outputs});
      const torch::Tensor point = points.narrow(1, run.first, run.columns);
      // Into the box before the formula: masked afterwards, its NaN would come back in
      // the gradient.
      const torch::Tensor inside = point.abs() <= bound_;
      const Result result = map(KnotsOf(raw, bins_, bound_, run.periodic),
                                torch::where(inside, point, torch::zeros_like(point)));
      values.push_back(torch::where(inside, result.values, point));
      ladjs.push_back(torch::where(inside, result.ladj, torch::zeros_like(point)));
    }
    if (values.size() == 1) return {values[0], ladjs[0]};
    return {torch::cat(values, 1), torch::cat(ladjs, 1)};
  }

  const int64_t bins_;
  const double bound_;
  std::vector<Run> runs_;
};

}  // namespace

std::unique_ptr<ColumnMaps> MakeSplines(const FlowSpec& spec, ColumnRange columns) {
  return std::make_unique<Splines>(spec, columns);
}

}  // namespace sluiced::flows
