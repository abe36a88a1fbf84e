// A train job, watched by many and by nobody.
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "server/common/check.h"
#include "sluice/v1/training.grpc.pb.h"
#include "tests/bench/service_bench.h"

namespace sluiced::bench {
namespace {

constexpr int kWatchersPerConnection = 100;

// Streams of one job, read by one thread. The destructor cancels them.
class Watchers {
 public:
  Watchers(const std::string& address, const std::string& job, int64_t after, int count) {
    sluice::v1::WatchTrainJobRequest request;
    request.set_name("trainJobs/" + job);
    request.set_after_sequence(after);
    for (int i = 0; i < count; ++i) {
      if (i % kWatchersPerConnection == 0) Connect(address);
      auto& watch = *watches_.emplace_back(std::make_unique<Watch>());
      watch.stream = stubs_.back()->AsyncWatchTrainJob(&watch.context, request, &queue_, &watch);
    }
    thread_ = std::thread([this] { Take(); });
  }

  ~Watchers() {
    for (const auto& watch : watches_) watch->context.TryCancel();
    thread_.join();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  int64_t updates() const { return updates_; }
  // Until each got an update.
  void AwaitAll() const {
    const auto all = static_cast<int>(watches_.size());
    for (int now = watching_; now < all; now = watching_) watching_.wait(now);
  }

 private:
  struct Watch {
    grpc::ClientContext context;
    sluice::v1::TrainUpdate update;
    std::unique_ptr<grpc::ClientAsyncReader<sluice::v1::TrainUpdate>> stream;
    int messages = -1;  // The first end of an operation is the stream's beginning.
  };

  void Connect(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs_.push_back(sluice::v1::TrainingService::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments)));
  }

  // Until all have ended.
  void Take() {
    void* tag = nullptr;
    bool ok = false;
    for (size_t ended = 0; ended < watches_.size() && queue_.Next(&tag, &ok);) {
      auto* watch = static_cast<Watch*>(tag);
      if (!ok) {
        ++ended;
        continue;
      }
      Count(*watch);
      watch->stream->Read(&watch->update, watch);
    }
  }

  void Count(Watch& watch) {
    if (++watch.messages == 0) return;
    ++updates_;
    if (watch.messages > 1) return;
    ++watching_;
    watching_.notify_one();
  }

  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<sluice::v1::TrainingService::Stub>> stubs_;
  std::vector<std::unique_ptr<Watch>> watches_;
  std::atomic<int64_t> updates_ = 0;
  std::atomic<int> watching_ = 0;
  std::thread thread_;
};

struct Progress {
  int64_t epoch;
  int64_t sequence;
};

Progress ProgressOf(sluice::Client& client, const std::string& job) {
  const sluice::TrainJob now = OrDie(client.GetTrainJob(job));
  SLUICED_CHECK(now.state == sluice::JobState::kRunning);
  return {now.last_epoch ? now.last_epoch->epoch : 0, now.last_sequence};
}

double EpochsPerSecond(sluice::Client& client, const std::string& job, double seconds) {
  const auto start = std::chrono::steady_clock::now();
  const int64_t first = ProgressOf(client, job).epoch;
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const int64_t last = ProgressOf(client, job).epoch;
  const auto passed = std::chrono::steady_clock::now() - start;
  return static_cast<double>(last - first) / std::chrono::duration<double>(passed).count();
}

}  // namespace

Figures MeasureWatchers(const ServiceOptions& options) {
  Service service(options);
  const std::string job = service.StartEndlessJob();
  sluice::Client& client = service.client();
  Rounds rounds, received;
  for (int i = 0; i < options.rounds; ++i) {
    const double alone = EpochsPerSecond(client, job, options.seconds);
    Watchers watchers(service.server().address(), job, ProgressOf(client, job).sequence,
                      options.watchers);
    watchers.AwaitAll();
    const int64_t before = watchers.updates();
    rounds.Add(EpochsPerSecond(client, job, options.seconds), alone);
    received.Add(static_cast<double>(watchers.updates() - before) / options.seconds, 1);
  }
  service.End(job);
  const std::string who = std::to_string(options.watchers) + " watchers of a train job: ";
  Figure updates = received.ToFigure(who + "updates received", "1/s", {Target::Side::kAtLeast, 0});
  updates.floor.reset();
  updates.ratio.reset();
  updates.target.reset();
  return {rounds.ToFigure(who + "epochs, unwatched", "1/s", {Target::Side::kAtLeast, 0.95}),
          updates};
}

}  // namespace sluiced::bench
