// Criterion: what a training minimises, batch by batch. Private to the training:
// includes LibTorch.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "server/flows/real_nvp.h"
#include "server/targets/target.h"
#include "server/training/progress.h"
#include "server/training/row_preparation.h"
#include "server/training/train_config.h"

namespace sluiced::training {

// Not thread-safe: one per run.
class Criterion {
 public:
  virtual ~Criterion() = default;

  struct BatchLoss {
    torch::Tensor surrogate;  // Its gradient is the loss's.
    double value;             // Mean loss over the rows of the batch, nats.
  };
  // How good the parameters at the end of an epoch are.
  struct Assessment {
    double loss = 0;               // What the best parameters are chosen by.
    bool on_training_rows = true;  // ... or on held-out ones.
    std::optional<TargetProgress> target;
  };

  virtual int64_t rows_per_epoch() const = 0;
  // Sets the rows of epoch `epoch` (from 0), and their order.
  virtual void BeginEpoch(int64_t epoch) = 0;
  virtual BatchLoss Batch(const torch::Tensor& parameters, int64_t first, int64_t count) = 0;
  virtual Assessment Assess(const torch::Tensor& parameters) = 0;
  // Metrics of the parameters that are published.
  virtual std::map<std::string, double> Measure(const torch::Tensor& parameters) = 0;
};

// Both keep a reference to `flow`. Mean of -log q over rows of `data`, which is only
// read here.
std::unique_ptr<Criterion> MakeLikelihood(const flows::RealNvp& flow, const TrainConfig& config,
                                          const Array& data, const Split& split);
// KL(q || p) - log Z = mean of log q(x) - log p(x) over draws x of the flow, its
// gradient along the path of the draws.
std::unique_ptr<Criterion> MakeReverseKl(const flows::RealNvp& flow, const TrainConfig& config,
                                         const targets::Target& target);

}  // namespace sluiced::training
