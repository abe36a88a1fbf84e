// The rows of the store. What only one layer understands is an opaque string
// here (JSON or bytes), so that the store depends on nobody's types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace sluiced::store {

struct ModelRecord {
  std::string id;
  std::string spec_json;
  std::string description;
  std::map<std::string, std::string> labels;
  absl::Time create_time;
  int64_t latest_version = 0;
  std::map<std::string, int64_t> aliases;  // Without `latest`.
};

// Metadata of a version; its parameters are read apart.
struct VersionRecord {
  std::string model;
  int64_t number = 0;                // Given by the store on Publish.
  std::string standardization_json;  // {"shift": [...], "scale": [...]} or empty.
  std::map<std::string, double> metrics;
  std::string train_job;  // Id, or empty.
  std::string source;
  std::string dataset_hash;
  uint64_t seed = 0;
  absl::Time create_time;
};

struct DatasetRecord {
  std::string id;
  int64_t rows = 0;
  int64_t columns = 0;
  std::string dtype;      // "float32", "float64"
  std::string info_json;  // Names, source, hash, statistics, notes: opaque here.
  absl::Time create_time;
};

enum class JobState { kQueued, kRunning, kPaused, kCancelling, kSucceeded, kFailed, kCancelled };

struct JobRecord {
  std::string id;
  std::string model;    // Model id.
  std::string dataset;  // Dataset id, or empty: keeps it from deletion.
  std::string payload;  // What to run: opaque here.
  std::string request_id;
  JobState state = JobState::kQueued;
  int attempt = 0;
  // Attempts in a row that began and neither saved a checkpoint nor ended in order.
  int stalled_attempts = 0;
  absl::Time create_time;
  std::optional<absl::Time> start_time, end_time;
  std::string error;
  int64_t version = -1;  // Published, or -1.
  int64_t last_sequence = 0;
  int64_t order = 0;  // Position in the queue: ascending.
};

struct UpdateRecord {
  int64_t sequence = 0;
  absl::Time time;
  JobState state = JobState::kQueued;
  int attempt = 0;
  std::string payload;  // A training's progress: opaque here.
};

struct Page {
  int64_t limit = 100;
  std::string after;  // Id of the last row of the page before; empty: from the start.
};

}  // namespace sluiced::store
