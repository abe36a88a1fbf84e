#include "server/evaluation/classifier.h"

#include <algorithm>
#include <cmath>

namespace sluiced::evaluation {
namespace {

constexpr size_t kHidden = 32;
constexpr float kLearningRate = 5e-3F;

}  // namespace

Classifier::Classifier(int64_t inputs, uint64_t seed, uint32_t substream)
    : inputs_(static_cast<size_t>(inputs)),
      values_((inputs_ + 2) * kHidden + 1),
      gradient_(values_.size()),
      mean_(values_.size()),
      square_(values_.size()),
      hidden_(kHidden) {
  PhiloxReader random(seed, Stream::kEvaluate, substream);
  // He et al. 2015; biases spread the kinks over rows of unit variance.
  const float spread = std::sqrt(2.0F / static_cast<float>(inputs_));
  for (size_t i = 0; i < inputs_ * kHidden; ++i) {
    values_[i] = spread * static_cast<float>(random.Normal());
  }
  for (size_t j = 0; j < kHidden; ++j) {
    values_[inputs_ * kHidden + j] = static_cast<float>(random.Normal());
    values_[(inputs_ + 1) * kHidden + j] =
        static_cast<float>(random.Normal()) / std::sqrt(static_cast<float>(kHidden));
  }
}

float Classifier::Logit(std::span<const float> row) {
  const float* const biases = values_.data() + inputs_ * kHidden;
  std::copy(biases, biases + kHidden, hidden_.begin());
  for (size_t i = 0; i < inputs_; ++i) {
    const float* const weights = values_.data() + i * kHidden;
    for (size_t j = 0; j < kHidden; ++j) hidden_[j] += row[i] * weights[j];
  }
  const float* const out = biases + kHidden;
  float logit = out[kHidden];
  for (size_t j = 0; j < kHidden; ++j) {
    hidden_[j] = std::max(hidden_[j], 0.0F);
    logit += hidden_[j] * out[j];
  }
  return logit;
}

void Classifier::AddGradient(std::span<const float> row, float slope) {
  const size_t biases = inputs_ * kHidden, out = biases + kHidden;
  float back[kHidden];
  for (size_t j = 0; j < kHidden; ++j) {
    back[j] = hidden_[j] > 0 ? slope * values_[out + j] : 0;
    gradient_[biases + j] += back[j];
    gradient_[out + j] += slope * hidden_[j];
  }
  gradient_[out + kHidden] += slope;
  for (size_t i = 0; i < inputs_; ++i) {
    float* const into = gradient_.data() + i * kHidden;
    for (size_t j = 0; j < kHidden; ++j) into[j] += row[i] * back[j];
  }
}

void Classifier::Step(std::span<const float> rows, std::span<const float> labels) {
  std::fill(gradient_.begin(), gradient_.end(), 0.0F);
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> row = rows.subspan(i * inputs_, inputs_);
    const float likely = 1 / (1 + std::exp(-Logit(row)));
    AddGradient(row, (likely - labels[i]) / static_cast<float>(labels.size()));
  }
  constexpr float kBeta1 = 0.9F, kBeta2 = 0.999F, kEpsilon = 1e-8F;
  ++steps_;
  const auto step = static_cast<float>(steps_);
  const float first = 1 - std::pow(kBeta1, step), second = 1 - std::pow(kBeta2, step);
  for (size_t i = 0; i < values_.size(); ++i) {
    mean_[i] = kBeta1 * mean_[i] + (1 - kBeta1) * gradient_[i];
    square_[i] = kBeta2 * square_[i] + (1 - kBeta2) * gradient_[i] * gradient_[i];
    values_[i] -= kLearningRate * (mean_[i] / first) / (std::sqrt(square_[i] / second) + kEpsilon);
  }
}

}  // namespace sluiced::evaluation
