#include "server/targets/particles.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "server/common/status_macros.h"

namespace sluiced::targets {
namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();
constexpr double kWorthKept = 0.5;
constexpr int kHalvings = 40;
// Steps of a flight, and the share of flights that should be accepted (Beskos et al. 2013
// find 0.65 best for long ones; these are short).
constexpr int kSteps = 5;
constexpr double kWantedAcceptance = 0.75;
constexpr size_t kBlock = 1024;

double Largest(std::span<const double> values) {
  return *std::max_element(values.begin(), values.end());
}

// (sum of weights)^2 / sum of squares.
double EffectiveCount(std::span<const double> log_weights) {
  const double largest = Largest(log_weights);
  double sum = 0, squares = 0;
  for (const double w : log_weights) {
    const double weight = std::exp(w - largest);
    sum += weight;
    squares += weight * weight;
  }
  return sum * sum / squares;
}

}  // namespace

Particles::Particles(const Target& target, int64_t count, uint64_t seed)
    : target_(target),
      count_(static_cast<size_t>(count)),
      dim_(static_cast<size_t>(target.dim())),
      random_(seed, Stream::kGenerate),
      scale_(dim_),
      x_(count_ * dim_),
      log_start_(count_),
      log_p_(count_) {
  for (size_t i = 0; i < dim_; ++i) {
    centre_.push_back((target.low()[i] + target.high()[i]) / 2);
    width_.push_back((target.high()[i] - target.low()[i]) / 4);
    log_start_peak_ -= std::log(width_[i]) + std::log(2 * std::numbers::pi) / 2;
  }
  for (size_t i = 0; i < x_.size(); ++i) {
    x_[i] = centre_[i % dim_] + width_[i % dim_] * random_.Normal();
  }
  Evaluate(x_, log_start_, log_p_, {});
}

void Particles::Evaluate(std::span<const double> x, std::span<double> log_start,
                         std::span<double> log_p, std::span<double> gradient) const {
  target_.Evaluate(x, log_p, gradient);
  for (size_t row = 0; row < log_p.size(); ++row) {
    log_start[row] = log_start_peak_;
    for (size_t i = 0; i < dim_; ++i) {
      const size_t at = row * dim_ + i;
      const double u = (x[at] - centre_[i]) / width_[i];
      log_start[row] -= u * u / 2;
      if (!gradient.empty()) {
        gradient[at] = power_ * gradient[at] - (1 - power_) * u / width_[i];
      }
    }
  }
}

std::vector<double> Particles::LogWeights(double power) const {
  std::vector<double> weights(count_);
  for (size_t row = 0; row < count_; ++row) {
    weights[row] = (power - power_) * (log_p_[row] - log_start_[row]);
  }
  return weights;
}

double Particles::NextPower() const {
  const auto standing = static_cast<double>(
      std::ranges::count_if(log_p_, [](double value) { return value > kNothing; }));
  const auto worth = [&](double power) { return EffectiveCount(LogWeights(power)) / standing; };
  if (standing == 0 || worth(1) >= kWorthKept) return 1;
  double low = power_, high = 1;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (worth(middle) >= kWorthKept ? low : high) = middle;
  }
  return high;
}

double Particles::RaiseTo(double power) {
  const std::vector<double> weights = LogWeights(power);
  const double largest = Largest(weights);
  if (largest == kNothing) return kNothing;
  double sum = 0;
  for (const double w : weights) sum += std::exp(w - largest);
  const double spacing = sum / static_cast<double>(count_);

  std::vector<size_t> chosen;
  double mark = spacing * random_.Uniform(), passed = 0;
  for (size_t row = 0; row < count_; ++row) {
    passed += std::exp(weights[row] - largest);
    for (; mark < passed; mark += spacing) chosen.push_back(row);
  }
  // Marks that a rounded sum left over, or made too many.
  chosen.resize(count_, chosen.back());
  Take(chosen);
  power_ = power;
  return largest + std::log(spacing);
}

void Particles::Take(const std::vector<size_t>& rows) {
  std::vector<double> x, log_start, log_p;
  x.reserve(x_.size());
  for (const size_t row : rows) {
    const auto from = x_.begin() + static_cast<ptrdiff_t>(row * dim_);
    x.insert(x.end(), from, from + static_cast<ptrdiff_t>(dim_));
    log_start.push_back(log_start_[row]);
    log_p.push_back(log_p_[row]);
  }
  x_ = std::move(x);
  log_start_ = std::move(log_start);
  log_p_ = std::move(log_p);
}

void Particles::TakeScales() {
  for (size_t i = 0; i < dim_; ++i) {
    double sum = 0, squares = 0;
    for (size_t row = 0; row < count_; ++row) {
      const double value = x_[row * dim_ + i] - centre_[i];
      sum += value;
      squares += value * value;
    }
    const double mean = sum / static_cast<double>(count_);
    const double variance = squares / static_cast<double>(count_) - mean * mean;
    scale_[i] = variance > 0 ? std::sqrt(variance) : width_[i];
  }
}

absl::Status Particles::Move(const std::function<absl::Status()>& keep_going) {
  TakeScales();
  int64_t accepted = 0;
  for (size_t first = 0; first < count_; first += kBlock) {
    RETURN_IF_ERROR(keep_going());
    accepted += MoveBlock(first, std::min(kBlock, count_ - first));
  }
  const double rate = static_cast<double>(accepted) / static_cast<double>(count_);
  step_ = std::clamp(step_ * std::exp(rate - kWantedAcceptance), 1e-4, 2.0);
  return absl::OkStatus();
}

// One leapfrog step, in units of each particle's step and each column's scale.
void Particles::Flight::Kick(double share, const std::vector<double>& scale) {
  for (size_t i = 0; i < x.size(); ++i) {
    momentum[i] += share * step[i / scale.size()] * scale[i % scale.size()] * gradient[i];
  }
}

void Particles::Flight::Drift(const std::vector<double>& scale) {
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] += step[i / scale.size()] * scale[i % scale.size()] * momentum[i];
  }
}

// Lengths of steps vary from flight to flight, so that none goes round in a circle, and
// narrow places are walked in too.
Particles::Flight Particles::Start(size_t first, size_t count) {
  Flight flight;
  const auto begin = x_.begin() + static_cast<ptrdiff_t>(first * dim_);
  flight.x.assign(begin, begin + static_cast<ptrdiff_t>(count * dim_));
  flight.gradient.resize(count * dim_);
  flight.log_start.resize(count);
  flight.log_p.resize(count);
  for (size_t row = 0; row < count; ++row) {
    flight.step.push_back(step_ * (0.2 + random_.Uniform()));
    for (size_t i = 0; i < dim_; ++i) flight.momentum.push_back(random_.Normal());
  }
  Evaluate(flight.x, flight.log_start, flight.log_p, flight.gradient);
  return flight;
}

std::vector<double> Particles::EnergyOf(const Flight& flight) const {
  std::vector<double> energy(flight.log_p.size());
  for (size_t row = 0; row < energy.size(); ++row) {
    energy[row] = -power_ * flight.log_p[row] - (1 - power_) * flight.log_start[row];
    for (size_t i = row * dim_; i < (row + 1) * dim_; ++i) {
      energy[row] += flight.momentum[i] * flight.momentum[i] / 2;
    }
  }
  return energy;
}

void Particles::Fly(Flight* flight) const {
  flight->Kick(0.5, scale_);
  for (int i = 0; i < kSteps; ++i) {
    flight->Drift(scale_);
    Evaluate(flight->x, flight->log_start, flight->log_p, flight->gradient);
    flight->Kick(i + 1 < kSteps ? 1 : 0.5, scale_);
  }
}

int64_t Particles::MoveBlock(size_t first, size_t count) {
  Flight flight = Start(first, count);
  const std::vector<double> before = EnergyOf(flight);
  Fly(&flight);
  const std::vector<double> after = EnergyOf(flight);
  int64_t accepted = 0;
  for (size_t row = 0; row < count; ++row) {
    // False for NaN, and for what left the support.
    if (!(std::log(random_.Uniform()) < before[row] - after[row])) continue;
    ++accepted;
    std::copy_n(flight.x.begin() + static_cast<ptrdiff_t>(row * dim_), dim_,
                x_.begin() + static_cast<ptrdiff_t>((first + row) * dim_));
    log_start_[first + row] = flight.log_start[row];
    log_p_[first + row] = flight.log_p[row];
  }
  return accepted;
}

}  // namespace sluiced::targets
