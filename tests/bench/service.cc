// The service that is measured, and how.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "client/src/prepared_calls.h"
#include "echo.pb.h"
#include "server/common/check.h"
#include "tests/bench/service_bench.h"
#include "tests/bench/shapes.h"

namespace sluiced::bench {
namespace {

constexpr double kWarmUpSeconds = 0.2;
constexpr int64_t kEndless = 1'000'000;  // Epochs: hours.

}  // namespace

void OrDie(const sluice::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "service_bench: %s\n", status.ToString().c_str());
  std::abort();
}

Service::Service(const ServiceOptions& options) {
  SLUICED_CHECK(server_.Start({.data_dir = directory_.path(), .flags = options.server_flags}));
  client_ = server_.Connect();
  std::ifstream file(SLUICE_TEST_DATA "/wow.npy", std::ios::binary);
  OrDie(client_->UploadFile("wow", file, sluice::Client::FileFormat::kNpy, "", ""));
  sluice::FlowSpec spec;
  spec.dim = kSeedsFlow.dim;
  spec.layers = kSeedsFlow.layers;
  spec.hidden = kSeedsFlow.hidden;
  spec.initialization = sluice::Initialization::kUniform;
  OrDie(client_->CreateModel("wow", spec, {.seed = kSeed, .description = "", .labels = {}}));
}

std::string Service::StartEndlessJob() {
  sluice::Client::TrainRequest request;
  request.model = "wow";
  request.dataset = "wow";
  request.config.epochs = kEndless;
  request.config.batch_size = 256;
  request.config.snapshots = -1;
  const sluice::TrainJob job = OrDie(client_->CreateTrainJob(request));
  AwaitState(job.id, sluice::JobState::kRunning);
  return job.id;
}

void Service::Pause(const std::string& job) {
  OrDie(client_->PauseTrainJob(job));
  AwaitState(job, sluice::JobState::kPaused);
}

void Service::Resume(const std::string& job) {
  OrDie(client_->ResumeTrainJob(job));
  AwaitState(job, sluice::JobState::kRunning);
}

void Service::End(const std::string& job) {
  OrDie(client_->CancelTrainJob(job));
  AwaitState(job, sluice::JobState::kCancelled);
}

void Service::AwaitState(const std::string& job, sluice::JobState state) {
  for (;;) {
    if (OrDie(client_->GetTrainJob(job)).state == state) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

sluice::PreparedCall EchoCall() {
  return {"/sluice.bench.Echo/Unary", sluice::bench::Payload().SerializeAsString()};
}

sluice::PreparedCall ScoringCall(int64_t rows) {
  sluice::Matrix x;
  x.rows = rows;
  x.cols = kSeedsFlow.dim;
  const Array points = Points(rows, kSeedsFlow);
  for (int64_t i = 0; i < points.size(); ++i) x.values.push_back(points.At(i));
  return sluice::PrepareLogProb("wow", x, 0, rows);
}

sluice::cli::Window MeasureFor(double seconds, const std::string& address,
                               const sluice::PreparedCall& call,
                               const sluice::cli::LoadShape& shape) {
  const std::vector<sluice::PreparedCall> calls = {call};
  sluice::cli::Load load(sluice::CallQueue::Connect(address, {}), calls, shape);
  std::this_thread::sleep_for(std::chrono::duration<double>(kWarmUpSeconds));
  load.Cut();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  sluice::cli::Window window = load.Cut();
  OrDie(window.first_error);
  return window;
}

}  // namespace sluiced::bench
