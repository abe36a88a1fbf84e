// Small trainings for tests.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "server/common/philox.h"
#include "server/flows/parameters.h"
#include "server/training/trainer.h"

namespace sluiced::training {

inline flows::FlowSpec SmallSpec(int64_t dim = 2) {
  flows::FlowSpec spec;
  spec.dim = dim;
  spec.layers = 4;
  spec.hidden = 8;
  return spec;
}

// Standard normal, float64.
inline Array NormalTable(int64_t rows, int64_t dim) {
  Array data(DType::kFloat64, {rows, dim});
  NormalRows<double>(3, Stream::kGenerate, 0, 0, dim, data.as<double>());
  return data;
}

// A banana far from the origin, with columns of different scales.
inline std::shared_ptr<Array> BananaRows(int64_t rows) {
  auto array = std::make_shared<Array>(DType::kFloat32, std::vector<int64_t>{rows, 2});
  NormalRows<float>(11, Stream::kGenerate, 0, 0, 2, array->as<float>());
  auto x = array->as<float>();
  for (size_t i = 0; i < x.size(); i += 2) {
    x[i + 1] = 40 + 3 * (x[i] * x[i] + 0.3f * x[i + 1]);
    x[i] = 5 + 0.5f * x[i];
  }
  return array;
}

inline TrainInput OnRows(int64_t epochs, int64_t rows = 600) {
  TrainInput input;
  input.start = {SmallSpec(), flows::InitialParameters(SmallSpec(), 1), {}};
  input.config.epochs = epochs;
  input.config.batch_size = 64;
  input.config.learning_rate = 5e-3;
  input.rows = BananaRows(rows);
  return input;
}

inline TrainInput OnTarget(const std::string& name, int64_t epochs, int64_t rows = 512) {
  TrainInput input;
  input.target = targets::FindTarget(name).value();
  const flows::FlowSpec spec = SmallSpec(input.target->dim());
  input.start = {spec, flows::InitialParameters(spec, 1), {}};
  input.config.epochs = epochs;
  input.config.batch_size = 128;
  input.config.learning_rate = 5e-3;
  input.config.rows = rows;
  return input;
}

// What a run said, kept.
struct Recorder {
  std::vector<Progress> epochs;
  std::vector<std::string> messages, checkpoints;
  std::vector<int64_t> snapshots;
  int64_t signals = 0;

  TrainCallbacks callbacks() {
    TrainCallbacks all;
    all.on_progress = [this](const Progress& progress) {
      if (progress.epoch == 0) {
        messages.push_back(progress.message);
      } else {
        epochs.push_back(progress);
      }
      return absl::OkStatus();
    };
    all.on_checkpoint = [this](std::string checkpoint) {
      checkpoints.push_back(std::move(checkpoint));
      return absl::OkStatus();
    };
    all.on_snapshot = [this](int64_t epoch, const flows::FlowState&) {
      snapshots.push_back(epoch);
      return absl::OkStatus();
    };
    all.checkpoint_interval = absl::ZeroDuration();
    return all;
  }
  // `signal` from the step `after` on.
  TrainCallbacks StoppingAfter(int64_t after, Signal signal) {
    TrainCallbacks all = callbacks();
    all.signal = [this, after, signal] { return signals++ >= after ? signal : Signal::kContinue; };
    return all;
  }
};

}  // namespace sluiced::training
