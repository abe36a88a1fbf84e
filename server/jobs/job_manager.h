// JobManager: the queue and state machine of jobs and their watched updates. It
// is handed the function that runs a job, and knows nothing of what jobs do.
// No LibTorch, no gRPC.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/store/records.h"
#include "server/store/store.h"

namespace sluiced::jobs {

using store::JobRecord;
using store::JobState;
using store::UpdateRecord;

enum class Signal { kContinue, kPause, kCancel };

// What a running job may do; one per run, used on the job's thread only. A failed
// Status means that the run must end with it.
class RunContext {
 public:
  virtual ~RunContext() = default;
  virtual Signal signal() const = 0;                        // Cheap; never blocks.
  virtual absl::Status AddUpdate(std::string payload) = 0;  // Never waits for watchers.
  virtual absl::Status SaveCheckpoint(std::string checkpoint) = 0;
  virtual absl::StatusOr<std::string> LoadCheckpoint() = 0;  // "" if none.
  virtual absl::Status SaveSnapshot(int64_t epoch, std::string snapshot) = 0;
};

struct RunResult {
  // Set when the run came to its end; else it stopped at a signal, its checkpoint
  // saved if that was kPause.
  std::optional<store::Store::Publication> publication;
  std::string last_payload;  // Payload of the terminal update.
};
// Blocks on a thread of the manager's. An error makes the job FAILED with its
// message.
using RunFunction = std::function<absl::StatusOr<RunResult>(const JobRecord&, RunContext&)>;

// How a running job's updates reach its watchers.
struct WatchOptions {
  int buffer = 256;  // Updates a watcher may fall behind before it skips.
  // Beyond so many watchers of a job they share so many updates a second: each is told of
  // the latest one in turn. Sending every epoch to a thousand would take the cores that train.
  int crowd = 16;
  double crowd_updates_per_second = 500;
  std::function<absl::Time()> now = [] { return absl::Now(); };
};

struct Options {
  int max_running = 1;
  int max_queued = 1000;
  // Bytes that running jobs may hold together, by what memory_of says of each, about; unset:
  // nothing. The next job in the queue waits until there is room, or until it runs alone.
  int64_t max_memory = std::numeric_limits<int64_t>::max();
  std::function<int64_t(const JobRecord&)> memory_of;
  // A job that this many attempts in a row left without a new checkpoint because the server was
  // killed or crashed is not started again: it is FAILED.
  int max_stalled_attempts = 3;
  WatchOptions watch;
  // About how many updates of a running job are stored: the last ones. At least 1.
  int64_t keep_updates = 100'000;
  // Called after a publication is stored and before watchers see that the job has ended; on a
  // thread of the manager's, which it must not call.
  std::function<void(const std::string& model, int64_t version)> on_published;
  // Makes the payload of a FAILED job's last update; unset: the error's message itself.
  std::function<std::string(const std::string& error)> encode_error;
  // Between tries to save a state that the store refuses (a full disk).
  absl::Duration save_retry = absl::Seconds(1);
};

// A watcher of one job. Thread-safe. Deleting it ends the watch, and waits for a `ready` in
// progress on another thread: so not under a lock that `ready` takes. The store must outlive it.
class Watch {
 public:
  virtual ~Watch() = default;
  struct Next {
    std::optional<UpdateRecord> update;
    bool ended = false;  // No further update will come: the terminal one was given.
  };
  // Never blocks on the job. Neither update nor ended: `ready` is called once when
  // there is more (on any thread; it must not block nor call back into the watch).
  virtual absl::StatusOr<Next> TryNext() = 0;
};

// Thread-safe.
class JobManager {
 public:
  // Takes up the jobs that the store holds unfinished: those that were running
  // are queued first, with attempt counted up when they start, or FAILED where they
  // seem to be what ends the server (Options::max_stalled_attempts). Does not own
  // the store. Options{max_running} threads run jobs from then on.
  static absl::StatusOr<std::unique_ptr<JobManager>> Create(store::Store* store, RunFunction run,
                                                            Options options);
  virtual ~JobManager() = default;

  // `id` empty: one is made. RESOURCE_EXHAUSTED when the queue is full, or when it alone
  // would hold more than max_memory;
  // ALREADY_EXISTS; UNAVAILABLE while draining. Of JobRecord: id, model, dataset, payload,
  // request_id.
  virtual absl::StatusOr<JobRecord> Create(JobRecord job) = 0;
  virtual absl::StatusOr<JobRecord> Get(absl::string_view id) = 0;
  virtual absl::StatusOr<std::vector<JobRecord>> List(const store::Page& page,
                                                      absl::string_view model) = 0;
  virtual int64_t QueuePosition(absl::string_view id) = 0;  // From 1; 0: not queued.
  // FAILED_PRECONDITION where the transition is not legal.
  virtual absl::StatusOr<JobRecord> Cancel(absl::string_view id) = 0;
  virtual absl::StatusOr<JobRecord> Pause(absl::string_view id) = 0;
  virtual absl::StatusOr<JobRecord> Resume(absl::string_view id) = 0;
  virtual absl::Status Delete(absl::string_view id) = 0;

  virtual absl::StatusOr<std::unique_ptr<Watch>> StartWatch(absl::string_view id,
                                                            int64_t after_sequence,
                                                            std::function<void()> ready) = 0;

  // How many jobs are in each state: those that have not ended, and those that have since
  // Create. States without a job are there too.
  struct Counts {
    std::map<JobState, int64_t> unfinished;
    std::map<JobState, int64_t> ended;
    int64_t queued = 0;  // Of the unfinished, those that wait for a place.
    int64_t max_queued = 0;
    int64_t memory = 0;  // Bytes that the running ones hold; about.
    int64_t max_memory = 0;
  };
  virtual Counts Count() = 0;

  // Stops running jobs at a checkpoint, leaving them to be taken up by the next
  // Create; refuses new ones with UNAVAILABLE; ends watches with UNAVAILABLE. Blocks until no job
  // runs.
  virtual void Drain() = 0;
};

}  // namespace sluiced::jobs
