// ModelCache: loaded models by their full name, the least recently used leaving
// first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/models/registry.h"

namespace sluiced::models {

// Of a loaded model: its state, and what the engine made of that.
constexpr int64_t kCopiesOfParameters = 2;

// Thread-safe; no call waits for a load.
class ModelCache {
 public:
  using Load = std::function<absl::StatusOr<ModelPtr>()>;
  // Runs work later, on a thread that may block; false when there is no room for it.
  using Post = std::function<bool(std::function<void()>)>;
  ModelCache(int64_t max_bytes, size_t max_waiting, Post post);

  // The model when it is loaded, else null.
  ModelPtr Find(const std::string& name);

  // Calls `found` once: now for a loaded model; else with what `load` gives, on the
  // thread that ran it. Many who ask at once share one load; an error is not kept.
  // RESOURCE_EXHAUSTED (RetryInfo) when `max_waiting` wait already, for whatever model,
  // or the load cannot be posted.
  void Get(const std::string& name, Load load, Found found);

  struct Contents {
    std::vector<LoadedModel> loaded;  // The latest used first.
    size_t waiting = 0;               // Calls, for models to be loaded.
  };
  Contents List();

  // Forgets every model whose name begins with `prefix`, those still loading
  // included. Whoever holds one keeps it, whoever waits for one gets it.
  void Forget(absl::string_view prefix);

 private:
  struct Entry {
    ModelPtr model;              // Null while it loads.
    std::vector<Found> waiting;  // Until then.
    int64_t bytes = 0;
    std::list<std::string>::iterator place;  // In recent_, once it is loaded.
  };
  using EntryPtr = std::shared_ptr<Entry>;

  ModelPtr UseLocked(const EntryPtr& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Finish(const std::string& name, const EntryPtr& entry, absl::StatusOr<ModelPtr> model);
  // Keeps what was loaded, or nothing of an error.
  void KeepLocked(const std::string& name, const EntryPtr& entry,
                  const absl::StatusOr<ModelPtr>& model) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EraseLocked(std::map<std::string, EntryPtr>::iterator at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const int64_t max_bytes_;
  const size_t max_waiting_;
  const Post post_;
  // Guarded. Not absl::Mutex: ThreadSanitizer does not see the locks of Debian's absl.
  std::mutex mu_;
  std::map<std::string, EntryPtr> entries_ ABSL_GUARDED_BY(mu_);
  std::list<std::string> recent_ ABSL_GUARDED_BY(mu_);  // Latest use first.
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  size_t waiting_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace sluiced::models
