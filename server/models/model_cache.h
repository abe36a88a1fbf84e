// ModelCache: loaded models by their full name, the least recently used leaving
// first.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "server/models/registry.h"

namespace sluiced::models {

// Thread-safe. Loading happens outside the lock: it delays only those who ask for
// the same model.
class ModelCache {
 public:
  using Load = std::function<absl::StatusOr<ModelPtr>()>;
  explicit ModelCache(int64_t max_bytes);

  // The cached model, or what `load` gives; an error is not kept. Many callers
  // that ask at once load once.
  absl::StatusOr<ModelPtr> Get(const std::string& name, const Load& load);

  // Forgets every model whose name begins with `prefix`, those still loading
  // included. Whoever holds one keeps it.
  void Forget(absl::string_view prefix);

 private:
  struct Entry {
    absl::Notification done;
    absl::StatusOr<ModelPtr> model;  // Written once, before `done`.
    int64_t bytes = 0;
    std::list<std::string>::iterator place;
  };
  using EntryPtr = std::shared_ptr<Entry>;

  void FinishLoad(const std::string& name, const EntryPtr& entry);
  void EraseLocked(std::map<std::string, EntryPtr>::iterator at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int64_t max_bytes_;
  absl::Mutex mu_;
  std::map<std::string, EntryPtr> entries_ ABSL_GUARDED_BY(mu_);
  std::list<std::string> recent_ ABSL_GUARDED_BY(mu_);  // Latest use first.
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace sluiced::models
