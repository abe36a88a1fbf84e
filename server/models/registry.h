// Registry: named models and their immutable versions, over the store, with the
// loaded ones kept ready to compute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/flows/flow.h"
#include "server/store/store.h"

namespace sluiced::models {

// A model version, or a train job's snapshot, ready to compute. Immutable.
struct Loaded {
  std::string name;  // models/{model}/versions/{n} or trainJobs/{job}/snapshots/{epoch}
  std::shared_ptr<const flows::Flow> flow;
};
using ModelPtr = std::shared_ptr<const Loaded>;
// What a loaded model takes of memory, about.
struct LoadedModel {
  std::string name;
  int64_t bytes = 0;
};
// Told once what was found. Never blocks.
using Found = std::function<void(absl::StatusOr<ModelPtr>)>;

struct CreateModel {
  std::string id;  // Checked by the caller.
  flows::FlowSpec spec;
  uint64_t seed = 0;
  std::string description;
  std::map<std::string, std::string> labels;
};

struct RegistryOptions {
  int load_threads = 2;
  size_t max_waiting = 1024;             // Calls, for models to be loaded.
  int64_t max_bytes = int64_t{1} << 30;  // Of loaded models.
};

// Thread-safe. Models are loaded on threads of its own, those asked for at once
// side by side.
class Registry {
 public:
  // Does not own the store.
  static std::unique_ptr<Registry> Create(store::Store* store, RegistryOptions options = {});
  virtual ~Registry() = default;

  // What `name` (see sluice.v1.InferenceService) refers to, when it is loaded and that
  // can be told without the store; else null. Never blocks.
  virtual ModelPtr FindLoaded(absl::string_view name) = 0;
  // Finds it, loading it when needed, once for all who ask. Never blocks: `found` is
  // called now or on one of the registry's threads. RESOURCE_EXHAUSTED (RetryInfo) when
  // too much waits to be loaded. The destructor waits for all of it.
  virtual void Find(absl::string_view name, Found found) = 0;

  struct Usage {
    std::vector<LoadedModel> loaded;  // The latest used first.
    int64_t max_bytes = 0;            // Of the loaded ones.
    size_t waiting = 0;               // Calls, for models to be loaded.
    size_t max_waiting = 0;
  };
  virtual Usage GetUsage() = 0;

  virtual absl::StatusOr<store::ModelRecord> CreateModel(const CreateModel& request) = 0;
  // `file`: bytes of a safetensors file of ours, or of the seed's state_dict.
  virtual absl::StatusOr<store::ModelRecord> Import(const struct CreateModel& request,
                                                    absl::string_view file) = 0;
  virtual absl::StatusOr<std::string> Export(absl::string_view name) = 0;

  virtual absl::StatusOr<store::ModelRecord> GetModel(absl::string_view id) = 0;
  virtual absl::StatusOr<std::vector<store::ModelRecord>> ListModels(const store::Page& page) = 0;
  virtual absl::StatusOr<store::ModelRecord> UpdateModel(const store::ModelRecord& model) = 0;
  virtual absl::Status DeleteModel(absl::string_view id) = 0;
  virtual absl::StatusOr<store::VersionRecord> GetVersion(absl::string_view name) = 0;
  virtual absl::StatusOr<std::vector<store::VersionRecord>> ListVersions(absl::string_view model,
                                                                         int64_t after,
                                                                         int64_t limit) = 0;
  virtual absl::Status DeleteVersion(absl::string_view name) = 0;
  virtual absl::StatusOr<store::ModelRecord> SetAlias(absl::string_view model,
                                                      absl::string_view alias, int64_t version) = 0;
  virtual absl::StatusOr<store::ModelRecord> DeleteAlias(absl::string_view model,
                                                         absl::string_view alias) = 0;

  // The state of a version, to start a training from.
  virtual absl::StatusOr<flows::FlowState> LoadState(absl::string_view name) = 0;
  // Tells the registry that the store has a new latest version of `model`.
  virtual void Refresh(absl::string_view model) = 0;
};

}  // namespace sluiced::models
