// What a training says of itself, once an epoch and at events. No LibTorch here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced::training {

struct TargetProgress {
  std::optional<double> kl, log_z_estimate, log_z_error, ess_fraction, log_z_known;
};

// Fields as in sluice.v1.TrainUpdate. epoch 0: `message` alone.
struct Progress {
  std::string message;
  int64_t epoch = 0;
  int64_t epochs = 0;
  int64_t step = 0;
  std::optional<double> train_loss, validation_loss, best_loss;
  int64_t best_epoch = 0;
  double learning_rate = 0;
  double gradient_norm = 0;
  double rows_per_second = 0;
  double seconds_left = 0;
  std::optional<TargetProgress> target;
};

// The form in which updates are stored.
std::string ToJson(const Progress& progress);
absl::StatusOr<Progress> ProgressFromJson(absl::string_view json);

}  // namespace sluiced::training
