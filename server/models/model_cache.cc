#include "server/models/model_cache.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/flows/catch_torch.h"

namespace sluiced::models {

ModelCache::ModelCache(int64_t max_bytes) : max_bytes_(max_bytes) {}

absl::StatusOr<ModelPtr> ModelCache::Get(const std::string& name, const Load& load) {
  EntryPtr entry;
  bool mine = false;
  {
    absl::MutexLock lock(&mu_);
    const auto found = entries_.find(name);
    if (found != entries_.end()) {
      entry = found->second;
      recent_.splice(recent_.begin(), recent_, entry->place);
    } else {
      mine = true;
      entry = std::make_shared<Entry>();
      recent_.push_front(name);
      entry->place = recent_.begin();
      entries_.emplace(name, entry);
    }
  }
  if (mine) {
    // Whatever happens, those who wait must be told.
    entry->model = flows::CatchTorch(absl::StrCat("loading ", name), load);
    FinishLoad(name, entry);
    entry->done.Notify();
  } else {
    entry->done.WaitForNotification();
  }
  return entry->model;
}

void ModelCache::FinishLoad(const std::string& name, const EntryPtr& entry) {
  absl::MutexLock lock(&mu_);
  const auto found = entries_.find(name);
  // Forgotten while it was loading: it may be of a model that is no more.
  if (found == entries_.end() || found->second != entry) return;
  if (!entry->model.ok()) return EraseLocked(found);
  // The state, and the flow's and the engine's own view of it.
  entry->bytes = 3 * static_cast<int64_t>((*entry->model)->flow->state().parameters.bytes().size());
  bytes_ += entry->bytes;
  while (bytes_ > max_bytes_ && recent_.back() != name) {
    EraseLocked(entries_.find(recent_.back()));
  }
}

void ModelCache::Forget(absl::string_view prefix) {
  absl::MutexLock lock(&mu_);
  auto at = entries_.lower_bound(std::string(prefix));
  while (at != entries_.end() && absl::StartsWith(at->first, prefix)) EraseLocked(at++);
}

void ModelCache::EraseLocked(std::map<std::string, EntryPtr>::iterator at) {
  bytes_ -= at->second->bytes;
  recent_.erase(at->second->place);
  entries_.erase(at);
}

}  // namespace sluiced::models
