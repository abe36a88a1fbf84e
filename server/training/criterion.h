// Criterion: what a training minimises, batch by batch. No LibTorch here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/targets/target.h"
#include "server/training/flow_gradients.h"
#include "server/training/progress.h"
#include "server/training/row_preparation.h"
#include "server/training/train_config.h"

namespace sluiced::training {

// Not thread-safe: one per run. `parameters` as FlowGradients takes them.
class Criterion {
 public:
  virtual ~Criterion() = default;

  // How good the parameters at the end of an epoch are.
  struct Assessment {
    double loss = 0;               // What the best parameters are chosen by.
    bool on_training_rows = true;  // ... or on held-out ones.
    std::optional<TargetProgress> target;
  };

  virtual int64_t rows_per_epoch() const = 0;
  // Sets the rows of epoch `epoch` (from 0), and their order.
  virtual void BeginEpoch(int64_t epoch) = 0;
  // Mean loss over rows [first, first + count) of the epoch, nats, and, unless it is
  // null, its gradient.
  virtual double Batch(const Array& parameters, int64_t first, int64_t count, Array* gradient) = 0;
  virtual Assessment Assess(const Array& parameters) = 0;
  // Whether they may be published: held-out rows that fare well say nothing of a
  // training row that overflows.
  virtual bool IsFiniteOnTrainingRows(const Array& parameters) = 0;
  // Metrics of the parameters that are published.
  virtual std::map<std::string, double> Measure(const Array& parameters) = 0;
};

// Mean of -log q over rows of `data`, which is only read here, weighted by `weights`
// unless they are empty. `dtype` is the flow's.
std::unique_ptr<Criterion> MakeLikelihood(std::unique_ptr<FlowGradients> flow,
                                          const TrainConfig& config, const Array& data, DType dtype,
                                          const Split& split,
                                          const std::vector<double>& weights = {});
// KL(q || p) - log Z = mean of log q(x) - log p(x) over draws x of the flow, its
// gradient along the path of the draws. `target` must outlive it.
std::unique_ptr<Criterion> MakeReverseKl(std::unique_ptr<FlowGradients> flow,
                                         const TrainConfig& config, const targets::Target& target,
                                         const flows::FlowSpec& spec);

// (1 - weight) times the one on rows plus weight times the one on a target.
std::unique_ptr<Criterion> MakeMixed(std::unique_ptr<Criterion> on_rows,
                                     std::unique_ptr<Criterion> on_target, double weight);

}  // namespace sluiced::training
