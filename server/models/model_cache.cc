#include "server/models/model_cache.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/errors.h"
#include "server/flows/catch_torch.h"

namespace sluiced::models {
namespace {

absl::Status Busy() {
  return WithReason("MODEL_LOADS",
                    Exhausted("too many calls wait for models to be loaded", absl::Seconds(1)));
}

}  // namespace

ModelCache::ModelCache(int64_t max_bytes, size_t max_waiting, Post post)
    : max_bytes_(max_bytes), max_waiting_(max_waiting), post_(std::move(post)) {}

ModelPtr ModelCache::Find(const std::string& name) {
  std::lock_guard<std::mutex> lock(mu_);
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : UseLocked(found->second);
}

ModelPtr ModelCache::UseLocked(const EntryPtr& entry) {
  if (entry->model != nullptr) recent_.splice(recent_.begin(), recent_, entry->place);
  return entry->model;
}

void ModelCache::Get(const std::string& name, Load load, Found found) {
  EntryPtr mine;
  {
    std::unique_lock<std::mutex> lock(mu_);
    const auto at = entries_.find(name);
    if (ModelPtr loaded = at == entries_.end() ? nullptr : UseLocked(at->second)) {
      lock.unlock();
      return found(std::move(loaded));
    }
    if (waiting_ == max_waiting_) {
      lock.unlock();
      return found(Busy());
    }
    ++waiting_;
    if (at != entries_.end()) return at->second->waiting.push_back(std::move(found));
    mine = std::make_shared<Entry>();
    mine->waiting.push_back(std::move(found));
    entries_.emplace(name, mine);
  }
  const bool posted = post_([this, name, mine, load = std::move(load)] {
    // Whatever happens, those who wait must be told.
    Finish(name, mine, flows::CatchTorch(absl::StrCat("loading ", name), load));
  });
  if (!posted) Finish(name, mine, Busy());
}

void ModelCache::Finish(const std::string& name, const EntryPtr& entry,
                        absl::StatusOr<ModelPtr> model) {
  std::vector<Found> waiting;
  {
    std::lock_guard<std::mutex> lock(mu_);
    waiting = std::exchange(entry->waiting, {});
    waiting_ -= waiting.size();
    KeepLocked(name, entry, model);
  }
  // The last one is given what is held here: who is told may count on it being all there is.
  for (size_t i = 0; i + 1 < waiting.size(); ++i) waiting[i](model);
  waiting.back()(std::move(model));
}

void ModelCache::KeepLocked(const std::string& name, const EntryPtr& entry,
                            const absl::StatusOr<ModelPtr>& model) {
  const auto found = entries_.find(name);
  // Forgotten while it was loading: it may be of a model that is no more.
  if (found == entries_.end() || found->second != entry) return;
  if (!model.ok()) return EraseLocked(found);
  entry->model = *model;
  entry->place = recent_.insert(recent_.begin(), name);
  const auto parameters = entry->model->flow->state().parameters.bytes();
  entry->bytes = kCopiesOfParameters * static_cast<int64_t>(parameters.size());
  bytes_ += entry->bytes;
  while (bytes_ > max_bytes_ && recent_.back() != name) {
    EraseLocked(entries_.find(recent_.back()));
  }
}

ModelCache::Contents ModelCache::List() {
  Contents contents;
  std::lock_guard<std::mutex> lock(mu_);
  contents.waiting = waiting_;
  for (const std::string& name : recent_) {
    contents.loaded.push_back({name, entries_.at(name)->bytes});
  }
  return contents;
}

void ModelCache::Forget(absl::string_view prefix) {
  std::lock_guard<std::mutex> lock(mu_);
  auto at = entries_.lower_bound(std::string(prefix));
  while (at != entries_.end() && absl::StartsWith(at->first, prefix)) EraseLocked(at++);
}

void ModelCache::EraseLocked(std::map<std::string, EntryPtr>::iterator at) {
  bytes_ -= at->second->bytes;
  if (at->second->model != nullptr) recent_.erase(at->second->place);
  at->second->model = nullptr;  // Its load may hold the entry a little longer.
  entries_.erase(at);
}

}  // namespace sluiced::models
