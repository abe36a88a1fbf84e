// The options of `sluice train` that become a TrainConfig.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sluice/result.h"
#include "sluice/types.h"

namespace sluice::cli {

struct TrainOptions {
  TrainConfig config;
  std::string stages, optimizer, schedule, betas, continue_from, degenerate;
  bool no_shuffle = false;
  std::optional<int64_t> snapshots;

  // INVALID_ARGUMENT where a text cannot be read. --continue without a job is left
  // to the caller.
  Result<TrainConfig> ToConfig() const;
};

inline constexpr const char* kContinueLatest = "latest";

// `options` outlives the parse.
void AddTrainOptions(CLI::App& command, TrainOptions* options);

// "100:1e-3,100:3e-4": epochs and learning rate of each stage.
Result<std::vector<Stage>> ParseStages(const std::string& text);

}  // namespace sluice::cli
