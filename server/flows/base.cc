#include "server/flows/base.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "server/flows/base_draws.h"

namespace sluiced::flows {
namespace {

const double kLogRootTwoPi = 0.5 * std::log(2 * std::numbers::pi);

torch::Tensor NormalLogProb(const torch::Tensor& z) {
  return z.square().sum(-1) * -0.5 - static_cast<double>(z.size(-1)) * kLogRootTwoPi;
}

// Of each column.
torch::Tensor StudentLogProb(const torch::Tensor& z, double freedom) {
  const double log_normalizer = std::lgamma((freedom + 1) / 2) - std::lgamma(freedom / 2) -
                                0.5 * std::log(freedom * std::numbers::pi);
  return torch::log1p(z.square() / freedom) * (-(freedom + 1) / 2) + log_normalizer;
}

// -log(2 b) inside, -inf outside; NaN stays NaN.
torch::Tensor UniformLogProb(const torch::Tensor& z, double bound) {
  const torch::Tensor outside = torch::full_like(z, -std::numeric_limits<double>::infinity());
  return torch::where(z.abs() > bound, outside, torch::full_like(z, -std::log(2 * bound)));
}

// Phi, so that one table of normal numbers serves every base.
torch::Tensor ToUniform(const torch::Tensor& normals) {
  return torch::erfc(normals * -std::numbers::sqrt2 / 2) / 2;
}

}  // namespace

BaseDensity::BaseDensity(const FlowSpec& spec)
    : spec_(spec), slices_(SlicesOf(spec, Part::kBase, -1)) {
  std::vector<int64_t> periodic, others;
  for (const Column& column : ColumnsOf(spec)) {
    (column.support == Support::kPeriodic ? periodic : others).push_back(column.index);
  }
  if (periodic.empty()) return;
  periodic_ = torch::tensor(periodic, torch::kInt64);
  others_ = torch::tensor(others, torch::kInt64);
}

// Without what belongs to periodic columns.
Views BaseDensity::Bind(const torch::Tensor& parameters) const {
  Views views = ViewsOf(slices_, parameters);
  if (!periodic_.defined()) return views;
  for (torch::Tensor& view : views) {
    if (view.size(-1) == spec_.dim && !(spec_.base == Base::kMixture && view.dim() == 1)) {
      view = view.index_select(-1, others_);
    }
  }
  return views;
}

torch::Tensor BaseDensity::LogProbOfColumns(const Views& views, const torch::Tensor& z) const {
  switch (spec_.base) {
    case Base::kNormal:
      break;
    case Base::kDiagonal:
      return NormalLogProb((z - views[0]) * torch::exp(-views[1])) - views[1].sum();
    case Base::kMixture: {
      const torch::Tensor of_component =
          NormalLogProb((z.unsqueeze(1) - views[1]) * torch::exp(-views[2])) - views[2].sum(1);
      return torch::logsumexp(of_component + torch::log_softmax(views[0], 0), 1);
    }
    case Base::kStudentT:
      return StudentLogProb(z, spec_.degrees_of_freedom).sum(1);
    case Base::kUniform:
      return UniformLogProb(z, spec_.bound).sum(1);
  }
  return NormalLogProb(z);
}

torch::Tensor BaseDensity::LogProb(const Views& views, const torch::Tensor& z) const {
  if (!periodic_.defined()) return LogProbOfColumns(views, z);
  const torch::Tensor circles = UniformLogProb(z.index_select(1, periodic_), spec_.bound).sum(1);
  if (others_.size(0) == 0) return circles;
  return LogProbOfColumns(views, z.index_select(1, others_)) + circles;
}

torch::Tensor BaseDensity::FromNormals(const Views& views, const torch::Tensor& normals) const {
  const torch::Tensor own = normals.narrow(1, 0, spec_.dim);
  torch::Tensor z = own;
  if (spec_.base == Base::kStudentT) {
    // Bailey 1994, Math. Comp. 62, 779-781: sqrt(nu (u^(-2/nu) - 1)) cos(2 pi v).
    const double freedom = spec_.degrees_of_freedom;
    const torch::Tensor u = ToUniform(z.to(torch::kFloat64));
    const torch::Tensor v = ToUniform(normals.narrow(1, spec_.dim, spec_.dim).to(torch::kFloat64));
    const torch::Tensor radius = (torch::expm1(u.log() * (-2 / freedom)) * freedom).sqrt();
    z = (radius * torch::cos(v * (2 * std::numbers::pi))).to(normals.scalar_type());
  }
  const auto on_box = [&](const torch::Tensor& of) {
    return (ToUniform(of) * 2 - 1) * spec_.bound;
  };
  if (spec_.base == Base::kUniform) return on_box(z);
  torch::Tensor others = periodic_.defined() ? z.index_select(1, others_) : z;
  if (spec_.base == Base::kDiagonal) others = views[0] + others * torch::exp(views[1]);
  if (spec_.base == Base::kMixture) {
    const torch::Tensor u = ToUniform(normals.narrow(1, spec_.dim, 1));
    const torch::Tensor edges = torch::softmax(views[0].detach(), 0).cumsum(0);
    const torch::Tensor chosen = (edges.narrow(0, 0, spec_.components - 1) <= u).sum(1);  // [n]
    others =
        views[1].index_select(0, chosen) + others * torch::exp(views[2].index_select(0, chosen));
  }
  if (!periodic_.defined()) return others;
  return torch::empty_like(z)
      .index_copy(1, periodic_, on_box(own.index_select(1, periodic_)))
      .index_copy(1, others_, others);
}

}  // namespace sluiced::flows
