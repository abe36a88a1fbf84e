// A server that keeps many models: how soon it is there, and how soon each of them.
#include <algorithm>
#include <chrono>
#include <thread>

#include "server/common/check.h"
#include "sluice/v1/model.pb.h"
#include "tests/bench/service_bench.h"
#include "tests/bench/shapes.h"

namespace sluiced::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kAtOnce = 64;
constexpr int kCold = 200;  // Models asked for, all over the names.

std::string IdOf(int number) { return "m" + std::to_string(number); }

sluice::PreparedCall CreationOf(int number) {
  sluice::v1::CreateModelRequest request;
  request.set_model_id(IdOf(number));
  request.mutable_spec()->set_dim(kSeedsFlow.dim);
  request.mutable_spec()->set_layers(kSeedsFlow.layers);
  request.mutable_spec()->set_hidden(kSeedsFlow.hidden);
  request.set_seed(static_cast<uint64_t>(number));
  return {"/sluice.v1.ModelService/CreateModel", request.SerializeAsString()};
}

void CreateModels(const std::string& address, int count) {
  std::vector<sluice::PreparedCall> calls;
  for (int i = 0; i < count; ++i) calls.push_back(CreationOf(i));
  const auto queue = sluice::CallQueue::Connect(address, {});
  int started = 0;
  const auto start = [&] { queue->Start(calls[static_cast<size_t>(started++)], 0); };
  while (started < std::min(kAtOnce, count)) start();
  for (int ended = 0; ended < count; ++ended) {
    OrDie(queue->Next()->status);
    if (started < count) start();
  }
  queue->Shutdown();
  SLUICED_CHECK(!queue->Next());
}

double Milliseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::milli>(Clock::now() - since).count();
}

// Of log_prob of one row, the connection there already.
std::vector<double> ColdMilliseconds(sluice::Client& client, int models) {
  OrDie(client.CheckHealth());
  const sluice::Matrix row{1, kSeedsFlow.dim, {0.1, 0.2}, sluice::DType::kFloat32};
  std::vector<double> times;
  for (int i = 0; i < std::min(kCold, models); ++i) {
    const auto number = static_cast<int>(int64_t{i} * models / std::min(kCold, models));
    const Clock::time_point start = Clock::now();
    OrDie(client.LogProb(IdOf(number), row));
    times.push_back(Milliseconds(start));
  }
  std::sort(times.begin(), times.end());
  return times;
}

}  // namespace

Figures MeasureManyModels(const ServiceOptions& options) {
  const sluice::testing::TempDir directory;
  sluice::testing::ServerProcess server;
  const sluice::testing::ServerOptions how = {.data_dir = directory.path(),
                                              .flags = options.server_flags};
  SLUICED_CHECK(server.Start(how));
  CreateModels(server.address(), options.models);
  server.Terminate();
  const Clock::time_point start = Clock::now();
  SLUICED_CHECK(server.Start(how));
  const double start_up = Milliseconds(start) / 1000;
  const std::vector<double> cold = ColdMilliseconds(*server.Connect(), options.models);
  const std::string with = std::to_string(options.models) + " stored models: ";
  return {{.name = with + "from the server's start to its port",
           .unit = "s",
           .ours = start_up,
           .target = Target{Target::Side::kAtMost, 1}},
          {.name = with + "log_prob, 1 row, of one not loaded: p50",
           .unit = "ms",
           .ours = cold[cold.size() / 2]},
          {.name = with + "the slowest of " + std::to_string(cold.size()),
           .unit = "ms",
           .ours = cold.back(),
           .target = Target{Target::Side::kAtMost, 20}}};
}

}  // namespace sluiced::bench
