#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"
#include "server/evaluation/laws.h"
#include "server/evaluation/numeric_jacobian.h"

namespace sluiced::evaluation {
namespace {

constexpr int64_t kMostScored = 2000;  // By the reference, which is slow.
constexpr int64_t kJacobians = 8;
constexpr int64_t kMostJacobianColumns = 64;

bool IsFloat32(const LawInput& in) { return in.flow.state().spec.dtype == DType::kFloat32; }
double PickTolerance(const LawInput& in, double float32, double float64) {
  return IsFloat32(in) ? float32 : float64;
}

// The first `rows` of the draws, with their context.
Array RowsOf(const LawInput& in, int64_t rows) {
  const int64_t count = std::min(rows, in.x.rows());
  return Beside(in.x.Rows(0, count),
                in.context.size() == 0 ? in.context : in.context.Rows(0, count));
}

// Relative to 1 where the numbers are small.
double Difference(double a, double b) { return std::abs(a - b) / (1 + std::abs(b)); }

double LargestDifference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = Difference(a[i], b[i]);
    largest = std::isfinite(difference) ? std::max(largest, difference) : INFINITY;
  }
  return largest;
}

// The best of two steps: one may lie across a kink of the nets.
absl::StatusOr<double> LogDetError(const LawInput& in, const Array& row,
                                   const std::vector<double>& spreads, double ladj) {
  double best = INFINITY;
  for (double step : {1e-6, 1e-7}) {
    ASSIGN_OR_RETURN(const double log_det, NumericLogDet(*in.reference, row, spreads, step));
    best = std::min(best, Difference(ladj, log_det));
  }
  return best;
}

}  // namespace

Law FiniteRowsLaw(const flows::Samples& all) {
  const auto lost = all.x.rows() - static_cast<int64_t>(FiniteRowsOf(all).size());
  return {.name = "finite_rows",
          .description = absl::StrCat("share of ", all.x.rows(), " draws that are not finite"),
          .measured = static_cast<double>(lost) / static_cast<double>(all.x.rows()),
          .tolerance = 1e-3};
}

absl::StatusOr<Law> RepeatableLaw(const LawInput& in) {
  constexpr int64_t kRows = 64, kFirst = 10;
  const bool conditional = in.flow.state().spec.context_dim > 0;
  const int64_t rows = std::min(kRows, in.x.rows());
  const Array context = conditional ? in.context.Rows(0, rows) : Array();
  ASSIGN_OR_RETURN(const flows::Samples all, in.flow.Sample(rows, in.seed, 0, context));
  ASSIGN_OR_RETURN(const flows::Samples part,
                   in.flow.Sample(rows - kFirst, in.seed, kFirst,
                                  conditional ? context.Rows(kFirst, rows - kFirst) : Array()));
  const auto as_before = all.x.Rows(kFirst, rows - kFirst);
  const auto bytes = as_before.bytes(), again = part.x.bytes();
  const bool same = std::equal(bytes.begin(), bytes.end(), again.begin(), again.end());
  return Law{.name = "repeatable",
             .description = "rows of a seed that differ when they are drawn again (1: some)",
             .measured = same ? 0.0 : 1.0,
             .tolerance = 0};
}

absl::StatusOr<Law> ScoreLaw(const LawInput& in) {
  const Array rows = RowsOf(in, in.x.rows());
  ASSIGN_OR_RETURN(const std::vector<double> scores, ScoreRows(in.flow, rows, in.keep_going));
  return Law{.name = "score_of_draws",
             .description = "largest difference of log_prob of draws, as drawn and as scored",
             .measured = LargestDifference(scores, in.log_prob),
             .tolerance = PickTolerance(in, 1e-2, 1e-7)};
}

absl::StatusOr<Law> ReferenceLaw(const LawInput& in) {
  const Array rows = RowsOf(in, kMostScored);
  ASSIGN_OR_RETURN(const std::vector<double> scores, ScoreRows(in.flow, rows, in.keep_going));
  ASSIGN_OR_RETURN(const std::vector<double> reference,
                   ScoreRows(*in.reference, rows.To(DType::kFloat64), in.keep_going));
  return Law{.name = "reference",
             .description = "largest difference of log_prob to LibTorch's in float64",
             .measured = LargestDifference(scores, reference),
             .tolerance = PickTolerance(in, 1e-2, 1e-9)};
}

absl::StatusOr<Law> RoundTripLaw(const LawInput& in) {
  const Array rows = RowsOf(in, in.x.rows());
  ASSIGN_OR_RETURN(const flows::Images z, MapRows(in.flow, Space::kData, rows, in.keep_going));
  ASSIGN_OR_RETURN(const flows::Images back,
                   MapRows(in.flow, Space::kBase, Beside(z.values, in.context), in.keep_going));
  const std::vector<double> spreads = Spreads(in.x);
  const std::vector<flows::Column> columns = flows::ColumnsOf(in.flow.state().spec);
  double largest = 0;
  for (int64_t i = 0; i < in.x.size(); ++i) {
    const auto column = static_cast<size_t>(i % in.x.shape()[1]);
    double off = std::abs(back.values.At(i) - in.x.At(i));
    if (columns[column].support == flows::Support::kPeriodic) {
      off = std::min(off, columns[column].high - columns[column].low - off);
    }
    off /= spreads[column] + std::abs(in.x.At(i));
    largest = std::isfinite(off) ? std::max(largest, off) : INFINITY;
  }
  return Law{.name = "round_trip",
             .description =
                 "largest |x - FromBase(ToBase(x))| of draws, relative to the spread of "
                 "their column",
             .measured = largest,
             .tolerance = PickTolerance(in, 1e-2, 1e-6)};
}

absl::StatusOr<Law> LogDetLaw(const LawInput& in) {
  Law law{.name = "log_det", .tolerance = PickTolerance(in, 1e-2, 1e-5)};
  const int64_t dim = in.flow.state().spec.dim;
  if (dim > kMostJacobianColumns) {
    law.checked = false;
    law.description = absl::StrCat("not checked: Jacobians of ", dim, " columns take too long");
    return law;
  }
  const Array rows = RowsOf(in, kJacobians);
  ASSIGN_OR_RETURN(const flows::Images z, in.flow.ToBase(rows, flows::KeepLayers::kNo));
  const Array wide = rows.To(DType::kFloat64);
  const std::vector<double> spreads = Spreads(in.x);
  for (int64_t row = 0; row < rows.rows(); ++row) {
    RETURN_IF_ERROR(in.keep_going());
    ASSIGN_OR_RETURN(const double off, LogDetError(in, wide.Rows(row, 1), spreads, z.ladj.At(row)));
    law.measured = std::isfinite(off) ? std::max(law.measured, off) : INFINITY;
  }
  law.description = absl::StrCat(
      "largest difference of log|det| to that of the numerical Jacobian "
      "at ",
      rows.rows(), " draws");
  return law;
}

}  // namespace sluiced::evaluation
