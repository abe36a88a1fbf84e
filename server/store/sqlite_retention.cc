// What makes room: old updates, and what ended jobs leave behind.
#include <algorithm>
#include <optional>

#include "server/common/status_macros.h"
#include "server/store/sqlite_store_impl.h"

namespace sluiced::store {
namespace {

// Removed in one transaction, so that other writers come in between.
constexpr int64_t kUpdatesPerStep = 4096;
constexpr int64_t kSnapshotsPerStep = 8;

struct Sequences {
  int64_t first = 0;
  int64_t last = 0;
};

Sequences SequencesOf(Connection& c, int64_t job) {
  // Each alone is a look at one end of the index; together they would be a scan.
  Rows rows = c.Query(
      "SELECT (SELECT min(sequence) FROM updates WHERE job = ?1),"
      " (SELECT max(sequence) FROM updates WHERE job = ?1)",
      job);
  if (!rows.Next() || rows.IsNull(0)) return {};
  return {.first = rows.Int(0), .last = rows.Int(1)};
}

// Some of the updates up to `end`, the oldest; true when there are more.
bool RemoveSomeUpdates(Connection& c, int64_t job, int64_t end) {
  const int64_t first = SequencesOf(c, job).first;
  const int64_t step_end = std::min(end, first + kUpdatesPerStep - 1);
  c.Execute("DELETE FROM updates WHERE job = ? AND sequence <= ?", job, step_end);
  return step_end < end;
}

// The first job from `key` on that ended before `time` and has something to remove.
std::optional<int64_t> FindForgettable(Connection& c, int64_t key, absl::Time time) {
  Rows rows = c.Query(
      "SELECT key FROM jobs WHERE key >= ? AND state >= ? AND end_time < ? AND"
      " (EXISTS (SELECT 1 FROM checkpoints WHERE job = key) OR"
      "  EXISTS (SELECT 1 FROM snapshots WHERE job = key) OR"
      "  (SELECT min(sequence) FROM updates WHERE job = key) <"
      "  (SELECT max(sequence) FROM updates WHERE job = key))"
      " ORDER BY key LIMIT 1",
      key, static_cast<int>(JobState::kSucceeded), time);
  if (!rows.Next()) return std::nullopt;
  return rows.Int(0);
}

void ForgetSome(Connection& c, int64_t job) {
  // The last update stays: it says how the job ended, and where its sequences do.
  if (RemoveSomeUpdates(c, job, SequencesOf(c, job).last - 1)) return;
  const int64_t removed = c.Execute(
      "DELETE FROM snapshots WHERE job = ? AND epoch IN"
      " (SELECT epoch FROM snapshots WHERE job = ? LIMIT ?)",
      job, job, kSnapshotsPerStep);
  if (removed < kSnapshotsPerStep) c.Execute("DELETE FROM checkpoints WHERE job = ?", job);
}

}  // namespace

absl::Status SqliteStore::TrimUpdates(absl::string_view job, int64_t keep) {
  for (bool more = true; more;) {
    std::lock_guard<std::mutex> hold(write_mu_);
    RETURN_IF_ERROR(FreeLocked(*deferred_writer_, [&](Connection& c) -> absl::Status {
      ASSIGN_OR_RETURN(const int64_t key, FindJobKey(c, job));
      const Sequences now = SequencesOf(c, key);
      const int64_t end = now.last - std::max<int64_t>(keep, 1);
      more = end >= now.first && RemoveSomeUpdates(c, key, end);
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::ForgetJobsEndedBefore(absl::Time time) {
  bool forgot_any = false;
  std::optional<int64_t> key = 0;
  while (key) {
    std::lock_guard<std::mutex> hold(write_mu_);
    RETURN_IF_ERROR(FreeLocked(*deferred_writer_, [&](Connection& c) -> absl::Status {
      key = FindForgettable(c, *key, time);
      if (key) ForgetSome(c, *key);
      return absl::OkStatus();
    }));
    forgot_any = forgot_any || key;
  }
  if (forgot_any) ReleaseSpace();
  return absl::OkStatus();
}

}  // namespace sluiced::store
