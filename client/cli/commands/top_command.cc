#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <utility>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/term/json_view.h"
#include "client/cli/term/screen.h"
#include "client/cli/term/top_view.h"

namespace sluice::cli {
namespace {

// Of a terminal that waits for a server, keys wait too.
constexpr double kMostSeconds = 3;
// Lines that go to a file or a pipe are not cut.
constexpr int kAnyColumns = 1000;

struct TopOptions {
  double interval_seconds = 1;
  bool once = false;
};

void PrintOnce(Context& context) {
  const Statistics now = OrFail(context.client().GetStatistics());
  if (context.json()) return PrintJson(ToJson(now));
  Terminal wide;
  wide.columns = kAnyColumns;
  for (const std::string& line : TopLines({context.server, now, std::nullopt}, wide)) {
    std::cout << line << '\n';
  }
  std::cout.flush();
}

// The view while it is on the screen.
class Top {
 public:
  Top(Context& context, Statistics first, std::chrono::milliseconds interval)
      : client_(context.client()), interval_(interval) {
    frame_.server = context.server;
    frame_.now = std::move(first);
  }

  void Run() {
    using Clock = std::chrono::steady_clock;
    Clock::time_point next = Clock::now() + interval_;
    Draw();
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      const Screen::Event event = screen_.Wait(left);
      if (event == Screen::Event::kLeave) return;
      if (event == Screen::Event::kTimeout) {
        Fetch();
        // A slow answer is followed by a pause, too.
        next = std::max(next, Clock::now()) + interval_;
      }
      Draw();
    }
  }

 private:
  void Fetch() {
    Result<Statistics> statistics = client_.GetStatistics();
    trouble_ = statistics.ok() ? "" : statistics.status().ToString();
    if (!statistics.ok()) return;
    frame_.before = std::exchange(frame_.now, *std::move(statistics));
  }

  void Draw() const {
    Terminal terminal = DetectStdout();
    terminal.columns = screen_.GetSize().columns;
    std::vector<std::string> lines = TopLines(frame_, terminal);
    if (!trouble_.empty()) {
      lines.insert(lines.begin(), FitLine("as it was: " + trouble_, terminal.columns));
    }
    screen_.Draw(lines);
  }

  Client& client_;
  const std::chrono::milliseconds interval_;
  TopFrame frame_;
  std::string trouble_;  // Why the last look failed.
  Screen screen_;
};

void RunTop(Context& context, const TopOptions& options) {
  if (options.once || context.json() || !CanDraw()) return PrintOnce(context);
  context.timeout_seconds = std::min(context.timeout_seconds, kMostSeconds);
  // The first answer before the screen is taken: a server that does not answer is an error.
  Statistics first = OrFail(context.client().GetStatistics());
  const auto interval =
      std::chrono::milliseconds(static_cast<int64_t>(options.interval_seconds * 1000));
  Top(context, std::move(first), interval).Run();
}

}  // namespace

void AddTopCommand(CLI::App& app, Context& context) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = app.add_subcommand(
      "top", "How the server is: calls, queues, models, jobs. Live on a terminal; q leaves");
  command->add_option("--interval", options->interval_seconds, "Seconds from one look to the next")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command->add_flag("--once", options->once, "Look once, with the rates of the last minute");
  command->callback([&context, options] { RunTop(context, *options); });
}

}  // namespace sluice::cli
