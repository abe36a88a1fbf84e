#include "client/src/watch.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "client/src/backoff.h"
#include "client/src/decode.h"
#include "client/src/status.h"

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestProbe{2};

// What remains of a connection that breaks, or of a server that drains. CANCELLED
// comes from the other side: our own ends the watch before anyone asks.
bool IsLostConnection(const Status& status) {
  const bool reset =
      status.code == Code::kInternal && status.message.find("RST_STREAM") != std::string::npos;
  return status.code == Code::kUnavailable || status.code == Code::kCancelled || reset;
}

// One watch: where it stands over all of its connections.
class Watcher {
 public:
  Watcher(v1::TrainingService::StubInterface& stub, const WatchOptions& options,
          const std::function<bool(const TrainUpdate&)>& on_update,
          const std::function<void(Client::Connection)>& on_connection)
      : stub_(stub),
        options_(options),
        on_update_(on_update),
        on_connection_(on_connection),
        after_(options.after_sequence),
        backoff_(std::random_device{}()) {}

  Status Run() {
    while (true) {
      const Clock::time_point start = Clock::now();
      const Status status = Follow();
      if (status.ok() || detached_ || ended_) return ended_ ? Status{} : status;
      if (!IsLostConnection(status) || !WaitForTheServer(start)) return status;
    }
  }

 private:
  // Reads one stream to its end.
  Status Follow() {
    grpc::ClientContext context;
    v1::WatchTrainJobRequest request;
    request.set_name(options_.job);
    request.set_after_sequence(after_);
    const auto stream = stub_.WatchTrainJob(&context, request);
    v1::TrainUpdate update;
    while (!detached_ && stream->Read(&update)) Deliver(update);
    if (detached_) {
      context.TryCancel();
      stream->Finish();
      return Failure(Code::kCancelled, "the watcher stopped watching");
    }
    return FromGrpc(stream->Finish());
  }

  // Tells of a change once.
  void SetLost(bool lost) {
    if (lost == told_lost_) return;
    told_lost_ = lost;
    if (on_connection_)
      on_connection_(lost ? Client::Connection::kLost : Client::Connection::kBack);
  }

  void Deliver(const v1::TrainUpdate& update) {
    lost_since_.reset();
    SetLost(false);
    backoff_.Reset();
    if (update.sequence() <= after_) return;
    after_ = update.sequence();
    const TrainUpdate decoded = DecodeUpdate(update);
    ended_ = IsTerminal(decoded.state);
    detached_ = !on_update_(decoded);
  }

  // False once the server has been away for too long. A connection that lived
  // longer than any attempt to connect takes was one, even if the job was silent.
  bool WaitForTheServer(Clock::time_point attempt_start) {
    constexpr auto kLongestAttempt = std::chrono::seconds(30);
    const Clock::time_point now = Clock::now();
    if (!lost_since_ || now - attempt_start > kLongestAttempt) lost_since_ = now;
    const auto left = options_.reconnect_for - (now - *lost_since_);
    if (left <= Clock::duration::zero()) return false;
    SetLost(true);
    std::this_thread::sleep_for(std::min<Clock::duration>(backoff_.Next(), left));
    Probe(std::min<Clock::duration>(kLongestProbe, left));
    return true;
  }

  // Waits inside a call for the server to answer. gRPC makes connections only while a
  // call waits; one that fails at once, as on a channel known to be broken, leaves the
  // next attempt unattended until it times out.
  void Probe(Clock::duration longest) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::duration_cast<std::chrono::milliseconds>(longest));
    v1::GetTrainJobRequest request;
    request.set_name(options_.job);
    v1::TrainJob job;
    if (stub_.GetTrainJob(&context, request, &job).ok()) SetLost(false);
  }

  v1::TrainingService::StubInterface& stub_;
  const WatchOptions& options_;
  const std::function<bool(const TrainUpdate&)>& on_update_;
  const std::function<void(Client::Connection)>& on_connection_;
  int64_t after_;
  Backoff backoff_;
  std::optional<Clock::time_point> lost_since_;
  bool told_lost_ = false;
  bool detached_ = false;
  bool ended_ = false;
};

}  // namespace

Status Watch(v1::TrainingService::StubInterface& stub, const WatchOptions& options,
             const std::function<bool(const TrainUpdate&)>& on_update,
             const std::function<void(Client::Connection)>& on_connection) {
  return Watcher(stub, options, on_update, on_connection).Run();
}

}  // namespace sluice
