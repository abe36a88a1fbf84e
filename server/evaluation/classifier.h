// Classifier: a small net that learns to tell two kinds of rows apart. No LibTorch here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "server/common/philox.h"

namespace sluiced::evaluation {

// One hidden layer of ReLUs, one logit, trained by Adam (Kingma and Ba 2015) on the
// logistic loss. A pure function of its arguments and steps. Not thread-safe.
class Classifier {
 public:
  Classifier(int64_t inputs, uint64_t seed, uint32_t substream);

  // One step on rows [n, inputs], row-major; label 1 or 0 each.
  void Step(std::span<const float> rows, std::span<const float> labels);
  float Logit(std::span<const float> row);

  int64_t parameters() const { return static_cast<int64_t>(values_.size()); }

 private:
  void AddGradient(std::span<const float> row, float slope);

  const size_t inputs_;
  int64_t steps_ = 0;
  // One buffer each: weights [inputs, hidden], biases [hidden], weights [hidden], bias.
  std::vector<float> values_, gradient_, mean_, square_;
  std::vector<float> hidden_;  // Of the last row.
};

}  // namespace sluiced::evaluation
