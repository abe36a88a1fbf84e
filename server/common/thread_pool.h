// A fixed number of threads over one bounded queue.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"

namespace sluiced {

// Thread-safe. The destructor runs what was posted, and what that posts, then joins.
class ThreadPool {
 public:
  ThreadPool(int threads, size_t max_queued);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Never blocks. False when the queue is full; `work` is then not run.
  bool TryPost(std::function<void()> work);

 private:
  void Loop();

  const size_t max_queued_;
  // Not absl::Mutex: ThreadSanitizer does not see the locks of Debian's absl.
  std::mutex mu_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace sluiced
