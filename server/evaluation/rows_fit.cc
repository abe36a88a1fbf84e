#include "server/evaluation/rows_fit.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "server/common/philox.h"
#include "server/common/status_macros.h"

namespace sluiced::evaluation {
namespace {

constexpr int64_t kDrawsAtOnce = 4096;  // At the contexts of some rows together.

// So that the densest comes first.
std::vector<double> Negated(std::vector<double> values) {
  for (double& v : values) v = -v;
  return values;
}

void SumUpScores(const std::vector<double>& scores, RowsFit* fit) {
  std::vector<double> finite;
  for (double score : scores) {
    if (std::isfinite(score)) finite.push_back(score);
  }
  fit->log_likelihood = MeanOf(finite);
  fit->without_density = static_cast<int64_t>(scores.size() - finite.size());
}

// What stands where in the draws of the whole flow.
Uniformity ColumnAmongDraws(const std::vector<double>& rows, std::vector<double> draws,
                            PhiloxReader& dice) {
  Uniformity column;
  column.ks = KsOfTwo(rows, draws);
  SortNumbers(draws);
  std::vector<double> places;
  for (double row : rows) places.push_back(PlaceInSorted(row, draws, dice.Uniform()));
  column.counts = CountPlaces(places);
  return column;
}

std::vector<Uniformity> ColumnsAmongDraws(const Array& rows, const Array& draws, uint64_t seed) {
  PhiloxReader dice(seed, Stream::kEvaluate, kTies);
  std::vector<Uniformity> columns;
  for (int64_t i = 0; i < draws.shape()[1]; ++i) {
    columns.push_back(ColumnAmongDraws(ColumnOf(rows, i), ColumnOf(draws, i), dice));
  }
  return columns;
}

int64_t NotFinite(const flows::Samples& samples) {
  return samples.x.rows() - static_cast<int64_t>(FiniteRowsOf(samples).size());
}

class Fitter {
 public:
  Fitter(const flows::Flow& flow, const Array& rows, int64_t draws, uint64_t seed,
         const KeepGoing& keep_going)
      : flow_(flow),
        spec_(flow.state().spec),
        rows_(rows),
        draws_(draws),
        seed_(seed),
        keep_going_(keep_going),
        dice_(seed, Stream::kEvaluate, kTies) {}

  absl::StatusOr<RowsFit> Fit() {
    fit_.rows = rows_.rows();
    ASSIGN_OR_RETURN(scores_, ScoreRows(flow_, rows_, keep_going_));
    SumUpScores(scores_, &fit_);
    RETURN_IF_ERROR(spec_.context_dim > 0 ? DrawAtContexts() : DrawFreely());
    fit_.coverage = CoverageOf(std::move(masses_));
    fit_.columns = ColumnsAmongDraws(rows_, compared_, seed_);
    ASSIGN_OR_RETURN(fit_.two_sample, TellApart(rows_, compared_with_context_, seed_, keep_going_));
    return std::move(fit_);
  }

 private:
  absl::Status DrawFreely() {
    ASSIGN_OR_RETURN(flows::Samples samples,
                     DrawRows(flow_, draws_, seed_, 0, Array(), keep_going_));
    fit_.draws = draws_;
    fit_.draws_not_finite = NotFinite(samples);
    std::vector<double> densities = Negated(ToDoubles(samples.log_prob));
    SortNumbers(densities);
    for (double score : scores_) {
      masses_.push_back(PlaceInSorted(-score, densities, dice_.Uniform()));
    }
    compared_ = std::move(samples.x);
    compared_with_context_ = compared_;
    return absl::OkStatus();
  }

  // The first draw at each row's context is what its row is compared with.
  absl::Status DrawAtContexts() {
    const int64_t n = rows_.rows(), dim = spec_.dim;
    fit_.draws = n * draws_;
    const Array contexts = TakeColumns(rows_, dim, spec_.context_dim);
    compared_ = Array(spec_.dtype, {n, dim});
    std::vector<std::vector<double>> places(static_cast<size_t>(dim));
    const int64_t at_once = std::max<int64_t>(1, kDrawsAtOnce / draws_);
    for (int64_t first = 0; first < n; first += at_once) {
      std::vector<int64_t> repeated;
      for (int64_t row = first; row < std::min(first + at_once, n); ++row) {
        repeated.insert(repeated.end(), static_cast<size_t>(draws_), row);
      }
      ASSIGN_OR_RETURN(const flows::Samples samples,
                       DrawRows(flow_, static_cast<int64_t>(repeated.size()), seed_, first * draws_,
                                TakeRows(contexts, repeated), keep_going_));
      fit_.draws_not_finite += NotFinite(samples);
      for (int64_t row = first; row < std::min(first + at_once, n); ++row) {
        const int64_t at = (row - first) * draws_;
        PlaceRow(row, {samples.x.Rows(at, draws_), samples.log_prob.Rows(at, draws_)}, &places);
      }
    }
    for (std::vector<double>& column : places) {
      fit_.calibration.push_back(UniformityOf(std::move(column)));
    }
    compared_with_context_ = Beside(compared_, contexts);
    return absl::OkStatus();
  }

  void PlaceRow(int64_t row, const flows::Samples& samples,
                std::vector<std::vector<double>>* places) {
    for (int64_t i = 0; i < spec_.dim; ++i) {
      (*places)[static_cast<size_t>(i)].push_back(
          Place(rows_.At(row * rows_.shape()[1] + i), ColumnOf(samples.x, i), dice_.Uniform()));
    }
    masses_.push_back(Place(-scores_[static_cast<size_t>(row)],
                            Negated(ToDoubles(samples.log_prob)), dice_.Uniform()));
    const size_t bytes = static_cast<size_t>(spec_.dim) * SizeOf(spec_.dtype);
    std::memcpy(compared_.bytes().data() + static_cast<size_t>(row) * bytes,
                samples.x.bytes().data(), bytes);
  }

  const flows::Flow& flow_;
  const flows::FlowSpec& spec_;
  const Array& rows_;
  const int64_t draws_;
  const uint64_t seed_;
  const KeepGoing& keep_going_;
  PhiloxReader dice_;
  RowsFit fit_;
  std::vector<double> scores_, masses_;
  Array compared_, compared_with_context_;
};

}  // namespace

absl::StatusOr<RowsFit> FitOfRows(const flows::Flow& flow, const Array& rows, int64_t draws,
                                  uint64_t seed, const KeepGoing& keep_going) {
  return Fitter(flow, rows, draws, seed, keep_going).Fit();
}

}  // namespace sluiced::evaluation
