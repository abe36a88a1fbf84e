// Hours of use in minutes: callers of every kind, one of them hostile, on one server whose
// memory, files and errors are watched. Status 1 when memory grew or an error came that
// none of them asked for.
#include <CLI/CLI.hpp>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/soak_tally.h"
#include "tests/bench/soak_watch.h"
#include "tests/bench/soak_work.h"
#include "tests/e2e/hostile_caller.h"
#include "tests/support/temp_dir.h"

namespace sluice::testing {
namespace {

constexpr int64_t kOneMalformedIn = 20;
constexpr double kFlat = 0.05;  // Of the mean, over half of the time.
const std::vector<std::string> kFlags = {"--model-memory=64mb",     "--max-upload-bytes=16mb",
                                         "--max-import-bytes=16mb", "--max-reply-bytes=16mb",
                                         "--max-running-jobs=2",    "--log-level=error"};

struct Options {
  double minutes = 10;
  int askers = 4;
  uint64_t seed = 1;
};

class Soak {
 public:
  explicit Soak(const Options& options) : options_(options) {}

  // False when the server could not be started, memory grew or errors came.
  bool Run() {
    if (!server_.Start({.data_dir = dir_.path(), .flags = kFlags})) return false;
    MakeSoakResources(*server_.Connect(), &tally_);
    StartCallers();
    SoakWatch watch(&server_, dir_.path());
    std::printf("%6s %9s %8s %8s %5s %8s  %s\n", "s", "calls", "calls/s", "RSS MiB", "fds",
                "data MiB", "codes");
    const int seconds = static_cast<int>(options_.minutes * 60);
    for (int second = 1; second <= seconds && !died_; ++second) {
      died_ = server_.EndsWithin(std::chrono::seconds(1));
      if (!died_) watch.Look();
      if (second % 30 == 0 || second == seconds) Print(second, watch);
    }
    over_ = true;
    for (std::thread& caller : callers_) caller.join();
    return Judge(watch.SecondHalf());
  }

 private:
  using Round = void (*)(Client&, Dice*, SoakTally*);

  void StartCallers() {
    uint64_t seed = options_.seed * 1000;
    const auto start = [&](Round round) {
      callers_.emplace_back([this, round, seed] { Repeat(round, seed); });
      ++seed;
    };
    for (int i = 0; i < options_.askers; ++i) start(Ask);
    start(RunAJob);
    start(PassADatasetThrough);
    start(PassAModelThrough);
    callers_.emplace_back([this, seed] { BeHostile(seed); });
    callers_.emplace_back([this] {
      while (!server_over()) {
        Sweep(*server_.Connect(), &tally_);
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
      }
    });
  }

  // Connections come and go too.
  void Repeat(Round round, uint64_t seed) {
    Dice dice(seed);
    while (!server_over()) {
      const auto client = server_.Connect();
      for (size_t left = 1 + dice.Below(200); left > 0 && !server_over(); --left) {
        round(*client, &dice, &tally_);
      }
    }
  }

  void BeHostile(uint64_t seed) {
    HostileMessages messages(seed);
    while (!server_over()) {
      HostileCaller caller(server_.address());
      for (int i = 0; i < 200 && !server_over(); ++i) {
        if (tally_.malformed() * kOneMalformedIn > tally_.calls()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
          continue;
        }
        if (i % 50 == 0) SendGarbage(server_.port(), &messages.dice());
        const HostileCall call = messages.Next();
        const grpc::StatusCode code = caller.Send(call, &messages.dice()).error_code();
        tally_.Malformed(call.method, code, Intended(call, code));
      }
    }
  }

  bool server_over() const { return over_ || died_; }

  void Print(int second, const SoakWatch& watch) {
    const int64_t calls = tally_.calls();
    std::printf("%6d %9lld %8.0f %8.1f %5lld %8.1f  %s\n", second, static_cast<long long>(calls),
                static_cast<double>(calls - printed_) / 30, watch.resident_mib(),
                static_cast<long long>(watch.handles()), watch.stored_mib(),
                tally_.Codes().c_str());
    std::fflush(stdout);
    printed_ = calls;
  }

  bool Judge(const SoakWatch::Trend& trend) {
    const bool flat = trend.growth_mib < kFlat * trend.mean_mib;
    std::printf(
        "memory %s: %+.1f MiB over the second half, at %.0f MiB; %.1f %% malformed\n",
        flat ? "flat" : "GREW", trend.growth_mib, trend.mean_mib,
        100.0 * static_cast<double>(tally_.malformed()) / static_cast<double>(tally_.calls()));
    std::printf("%lld errors that nobody asked for\n", static_cast<long long>(tally_.unintended()));
    for (const std::string& error : tally_.Unintended()) std::printf("  %s\n", error.c_str());
    if (died_) {
      std::printf("the server died of signal %d:\n%s\n", server_.Wait().signal.value_or(0),
                  server_.Log().c_str());
      return false;
    }
    const bool ended_well = server_.Terminate().code == 0;
    if (!ended_well) std::printf("the server ended badly:\n%s\n", server_.Log().c_str());
    return flat && ended_well && tally_.unintended() == 0;
  }

  const Options options_;
  const TempDir dir_;
  ServerProcess server_;
  SoakTally tally_;
  std::atomic<bool> over_ = false, died_ = false;
  int64_t printed_ = 0;
  std::vector<std::thread> callers_;
};

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Hours of use in minutes, watched.", "soak");
  app.add_option("--minutes", options.minutes, "How long")->check(CLI::Range(0.1, 10000.0));
  app.add_option("--askers", options.askers, "Threads that score and sample")
      ->check(CLI::Range(0, 1000));
  app.add_option("--seed", options.seed, "Of what the callers do");
  CLI11_PARSE(app, argc, argv);
  return Soak(options).Run() ? 0 : 1;
}

}  // namespace
}  // namespace sluice::testing

int main(int argc, char** argv) { return sluice::testing::Main(argc, argv); }
