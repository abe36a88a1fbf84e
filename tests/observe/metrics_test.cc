#include "server/observe/metrics.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/common/errors.h"
#include "server/observe/process_usage.h"
#include "tests/support/exposition.h"

namespace sluiced::observe {
namespace {

using sluice::testing::Exposition;
using sluice::testing::ReadExposition;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Of two methods, called "LogProb" and "Sample".
class MetricsTest : public ::testing::Test {
 protected:
  Exposition Read() const { return ReadExposition(metrics_.Text()); }

  void Call(size_t method, const absl::Status& status, int64_t rows) {
    metrics_.method(method).Begin();
    CallTimer timer;
    timer.Queue();
    timer.Run();
    timer.Rest();
    metrics_.method(method).End(status, timer, rows);
  }

  Metrics metrics_{{"LogProb", "Sample"},
                   {.version = "1.2.3", .torch = "2", .grpc = "1", .simd = "AVX2"}};
};

TEST_F(MetricsTest, CallsAreCountedByMethodAndCode) {
  Call(0, absl::OkStatus(), 10);
  Call(0, absl::OkStatus(), 5);
  Call(0, NotFound("model", "models/x"), 0);
  Call(1, absl::OkStatus(), 1);
  metrics_.method(1).Begin();
  const Exposition seen = Read();
  EXPECT_THAT(seen.complaints, IsEmpty());
  EXPECT_EQ(seen.Value(R"(sluice_requests_total{code="OK",method="LogProb"})"), 2);
  EXPECT_EQ(seen.Value(R"(sluice_requests_total{code="NOT_FOUND",method="LogProb"})"), 1);
  EXPECT_EQ(seen.Value(R"(sluice_requests_total{code="OK",method="Sample"})"), 1);
  EXPECT_EQ(seen.Value(R"(sluice_rows_total{method="LogProb"})"), 15);
  EXPECT_EQ(seen.Value(R"(sluice_requests_in_flight{method="LogProb"})"), 0);
  EXPECT_EQ(seen.Value(R"(sluice_requests_in_flight{method="Sample"})"), 1);
  for (const std::string times : {"duration", "queue", "compute"}) {
    EXPECT_EQ(seen.Value("sluice_request_" + times + R"(_seconds_count{method="LogProb"})"), 3);
    EXPECT_EQ(
        seen.Value("sluice_request_" + times + R"(_seconds_bucket{method="LogProb",le="+Inf"})"),
        3);
  }
  const MethodMetrics::Totals totals = metrics_.method(0).Read();
  EXPECT_EQ(totals.calls, 3);
  EXPECT_EQ(totals.failed, 1);
  EXPECT_EQ(totals.rows, 15);
  EXPECT_EQ(totals.recent.calls, 3);
}

TEST_F(MetricsTest, MethodsThatNobodyCallsTakeNoRoom) {
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("LogProb")));
}

TEST_F(MetricsTest, RejectionsAreCountedByReasonFromZero) {
  EXPECT_TRUE(Read().values.contains(R"(sluice_requests_rejected_total{reason="queue_full"})"));
  Call(0, WithReason("QUEUE_FULL", Exhausted("full", absl::Seconds(1))), 0);
  EXPECT_EQ(Read().Value(R"(sluice_requests_rejected_total{reason="queue_full"})"), 1);
}

TEST_F(MetricsTest, CodesThatNobodyKnowsAreUnknown) {
  Call(0, absl::Status(static_cast<absl::StatusCode>(77), "what"), 0);
  EXPECT_EQ(Read().Value(R"(sluice_requests_total{code="UNKNOWN",method="LogProb"})"), 1);
}

TEST_F(MetricsTest, BatchesAndTheStoreHaveHistograms) {
  metrics_.CountBatch(3, 48);
  metrics_.StoreOperation("get_model").Observe(0.002);
  const Exposition seen = Read();
  EXPECT_EQ(seen.Value("sluice_batch_requests_sum"), 3);
  EXPECT_EQ(seen.Value("sluice_batch_rows_sum"), 48);
  EXPECT_EQ(seen.Value(R"(sluice_batch_rows_bucket{le="32"})"), 0);
  EXPECT_EQ(seen.Value(R"(sluice_batch_rows_bucket{le="64"})"), 1);
  EXPECT_EQ(seen.Value(R"(sluice_store_operation_seconds_count{operation="get_model"})"), 1);
}

TEST_F(MetricsTest, OnlyJobsThatRunAreShown) {
  {
    RunningJobs::Run run(&metrics_.jobs(), "job-1", "wow");
    EXPECT_EQ(Read().Value(R"(sluice_job_epochs{job="job-1",model="wow"})"), 0);
    JobProgress progress;
    progress.epoch = 3;
    progress.epochs = 10;
    progress.train_loss = 2.5;
    run.Set(progress);
    const Exposition seen = Read();
    EXPECT_EQ(seen.Value(R"(sluice_job_epoch{job="job-1",model="wow"})"), 3);
    EXPECT_EQ(seen.Value(R"(sluice_job_train_loss{job="job-1",model="wow"})"), 2.5);
    EXPECT_FALSE(seen.Knows("sluice_job_validation_loss"));
    EXPECT_THAT(seen.complaints, IsEmpty());
  }
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("job-1")));
  EXPECT_THAT(metrics_.jobs().All(), IsEmpty());
}

TEST_F(MetricsTest, TheStateIsAskedForWhenSomebodyLooks) {
  metrics_.SetState([] {
    ServerState state;
    state.queues = {{"compute", 3, 100}};
    state.models = {{"models/a/versions/1", 10}, {"models/b/versions/1", 20}};
    state.jobs = {{"RUNNING", 1}};
    state.ended_jobs = {{"FAILED", 2}};
    return state;
  });
  const Exposition seen = Read();
  EXPECT_EQ(seen.Value(R"(sluice_queue_length{queue="compute"})"), 3);
  EXPECT_EQ(seen.Value("sluice_models_loaded"), 2);
  EXPECT_EQ(seen.Value("sluice_models_loaded_bytes"), 30);
  EXPECT_EQ(seen.Value(R"(sluice_jobs{state="running"})"), 1);
  EXPECT_EQ(seen.Value(R"(sluice_jobs_ended_total{state="failed"})"), 2);
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("models/a")));
}

TEST_F(MetricsTest, TheProcessAndTheBuildAreThere) {
  const Exposition seen = Read();
  EXPECT_GT(seen.Value("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(seen.Value("process_open_fds"), 2);
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  EXPECT_NEAR(seen.Value("process_start_time_seconds"), now, 600);
  EXPECT_EQ(seen.Value(R"(sluice_build_info{version="1.2.3",torch="2",grpc="1",simd="AVX2"})"), 1);
}

TEST_F(MetricsTest, ManyThreadsMayCountAndLook) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int call = 0; call < 1000; ++call) Call(call % 2, absl::OkStatus(), 1);
    });
  }
  for (int i = 0; i < 10; ++i) EXPECT_THAT(Read().complaints, IsEmpty());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Read().Value(R"(sluice_rows_total{method="Sample"})"), 2000);
}

TEST(CallTimer, TellsWaitingFromWorking) {
  CallTimer timer;
  EXPECT_FALSE(timer.ran());
  timer.Queue();
  timer.Rest();
  EXPECT_FALSE(timer.ran());
  EXPECT_EQ(timer.running(), 0);
  timer.Run();
  timer.Rest();
  EXPECT_TRUE(timer.ran());
  EXPECT_GE(timer.total(), timer.queued() + timer.running());
}

}  // namespace
}  // namespace sluiced::observe
