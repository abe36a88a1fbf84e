#include "tests/jobs/job_fixture.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "server/store/sqlite_store.h"

namespace sluiced::jobs {

RunFunction Puppeteer::Function() {
  return [this](const JobRecord& record, RunContext& context) { return Obey(record, context); };
}

absl::StatusOr<RunResult> Puppeteer::Obey(const JobRecord& record, RunContext& context) {
  std::unique_lock<std::mutex> lock(mu_);
  auto run = std::make_shared<Run>();
  run->record = record;
  runs_[record.id] = run;
  started_.push_back(record.id);
  most_at_once_ = std::max(most_at_once_, runs_.size());
  changed_.notify_all();
  for (;;) {
    changed_.wait(lock, [&] { return run->action || run->result; });
    if (run->result) break;
    lock.unlock();
    run->action(context);
    lock.lock();
    run->action = nullptr;
    changed_.notify_all();
  }
  runs_.erase(record.id);
  return *std::move(run->result);
}

void Puppeteer::Do(const std::string& job, std::function<void(RunContext&)> action) {
  std::unique_lock<std::mutex> lock(mu_);
  changed_.wait(lock, [&] { return runs_.contains(job); });
  const std::shared_ptr<Run> run = runs_[job];
  run->action = std::move(action);
  changed_.notify_all();
  changed_.wait(lock, [&] { return !run->action; });
}

void Puppeteer::Return(const std::string& job, absl::StatusOr<RunResult> result) {
  std::unique_lock<std::mutex> lock(mu_);
  changed_.wait(lock, [&] { return runs_.contains(job); });
  runs_[job]->result = std::move(result);
  changed_.notify_all();
}

JobRecord Puppeteer::RecordOfRun(const std::string& job) {
  std::unique_lock<std::mutex> lock(mu_);
  changed_.wait(lock, [&] { return runs_.contains(job); });
  return runs_[job]->record;
}

void Puppeteer::AwaitSignal(const std::string& job, Signal signal) {
  Do(job, [signal](RunContext& context) {
    while (context.signal() != signal) std::this_thread::yield();
  });
}

int Puppeteer::MostAtOnce() {
  std::lock_guard<std::mutex> lock(mu_);
  return static_cast<int>(most_at_once_);
}

std::vector<std::string> Puppeteer::Started() {
  std::lock_guard<std::mutex> lock(mu_);
  return started_;
}

void Puppeteer::AwaitStarted(size_t runs) {
  std::unique_lock<std::mutex> lock(mu_);
  changed_.wait(lock, [&] { return started_.size() >= runs; });
}

Reader::Reader(JobManager& manager, const std::string& job, int64_t after) {
  auto watch = manager.StartWatch(job, after, [this] {
    std::lock_guard<std::mutex> lock(mu_);
    ++ready_calls_;
    changed_.notify_all();
  });
  EXPECT_TRUE(watch.ok()) << watch.status();
  if (watch.ok()) watch_ = *std::move(watch);
}

absl::StatusOr<std::optional<UpdateRecord>> Reader::Read() {
  for (;;) {
    absl::StatusOr<Watch::Next> next = watch_->TryNext();
    if (!next.ok()) return next.status();
    if (next->update) return std::move(next->update);
    if (next->ended) return std::optional<UpdateRecord>();
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [&] { return used_calls_ < ready_calls_; });
    ++used_calls_;
  }
}

std::vector<UpdateRecord> Reader::ReadToEnd() {
  std::vector<UpdateRecord> updates;
  for (;;) {
    auto update = Read();
    EXPECT_TRUE(update.ok()) << update.status();
    if (!update.ok() || !*update) return updates;
    updates.push_back(**std::move(update));
  }
}

int Reader::ready_calls() {
  std::lock_guard<std::mutex> lock(mu_);
  return ready_calls_;
}

void JobTest::SetUp() {
  auto store = store::OpenSqliteStore(dir_.path());
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
  store::MakeModel(*store_, "wow");
}

void JobTest::StartManager(Options options) {
  manager_.reset();
  auto manager = JobManager::Create(store_.get(), runs_.Function(), std::move(options));
  ASSERT_TRUE(manager.ok()) << manager.status();
  manager_ = *std::move(manager);
}

JobRecord JobTest::Create(const std::string& id) {
  JobRecord job;
  job.id = id;
  job.model = "wow";
  auto created = manager_->Create(job);
  EXPECT_TRUE(created.ok()) << created.status();
  return created.ok() ? *created : JobRecord{};
}

UpdateRecord JobTest::LastUpdate(const std::string& id) {
  return store_->ListUpdates(id, manager_->Get(id)->last_sequence - 1, 1)->at(0);
}

JobState JobTest::AwaitEnd(const std::string& id) {
  const auto updates = Reader(*manager_, id).ReadToEnd();
  EXPECT_FALSE(updates.empty());
  return updates.empty() ? JobState::kQueued : updates.back().state;
}

void JobTest::AwaitState(const std::string& id, JobState state) {
  Reader reader(*manager_, id);
  for (;;) {
    auto update = reader.Read();
    ASSERT_TRUE(update.ok()) << update.status();
    ASSERT_TRUE(*update) << "ended in another state";
    if ((*update)->state == state && StateOf(id) == state) return;
  }
}

Options Running(int max_running) {
  Options options;
  options.max_running = max_running;
  return options;
}

RunResult Published(const std::string& last_payload) {
  RunResult result;
  result.publication = store::Store::Publication{store::SomeVersion("wow"), "trained", "last"};
  result.last_payload = last_payload;
  return result;
}

}  // namespace sluiced::jobs
