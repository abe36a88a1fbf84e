#include "server/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace sluiced {
namespace {

constexpr int kUsage = 2;

// Protobuf's messages end below 2 GiB; some of it is for what is beside the numbers.
constexpr int64_t kMostOfMessage = (int64_t{1} << 31) - (int64_t{1} << 20);

constexpr double kMostSeconds = 86400;
constexpr double kMostDays = 36500;

void AddKeeping(CLI::App& app, Config& config) {
  app.add_option("--restore", config.restore,
                 "Make --data-dir, which holds no data yet, of this file of `sluice backup`")
      ->configurable(false);
  app.add_option_function<double>(
         "--checkpoint-interval",
         [&config](double seconds) {
           config.train_run.checkpoint_interval = absl::Seconds(seconds);
         },
         "Seconds between two checkpoints of a train job")
      ->check(CLI::Range(0.0, kMostSeconds))
      ->default_str("2");
  app.add_option("--keep-updates", config.keep_updates, "Updates kept of each train job: the last")
      ->check(CLI::PositiveNumber);
  app.add_option("--keep-ended-jobs", config.keep_ended_jobs,
                 "Days until an ended train job loses its updates, snapshots and checkpoint and\n"
                 "is a record only; 0: never")
      ->check(CLI::Range(0.0, kMostDays));
}

void AddOptions(CLI::App& app, Config& config) {
  app.set_config("--config", "", "TOML file of these options: name = value")
      ->envname("SLUICE_CONFIG");
  app.add_flag("--check", config.check, "Say whether the configuration is sound, and end")
      ->configurable(false);
  app.set_version_flag("--version", std::string("sluiced ") + SLUICE_VERSION);
  app.add_option("--data-dir", config.data_dir,
                 "Where everything is kept; made when it is not there");
  app.add_option("--listen", config.listen, "HOST:PORT (port 0: a free one) or unix:PATH");
  app.add_option("--threads", config.threads, "Threads of inference; 0: one a core")
      ->check(CLI::Range(0, 1024));
  app.add_option("--max-queued-calls", config.max_queued_calls, "Calls that may wait for a thread")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-running-jobs", config.max_running_jobs, "Train jobs at the same time")
      ->check(CLI::Range(1, 1024));
  app.add_option("--train-threads", config.train_run.threads,
                 "Threads of each train job; 0: the cores, shared among the jobs")
      ->check(CLI::Range(0, 1024));
  app.add_option("--train-nice", config.train_run.nice,
                 "How far train jobs give way to calls: 0 (not at all) to 19")
      ->check(CLI::Range(0, 19));
  app.add_option("--max-queued-jobs", config.max_queued_jobs, "Train jobs that may wait")
      ->check(CLI::PositiveNumber);
  app.add_option("--port-file", config.port_file,
                 "File that gets the address, with the port bound");
  app.add_option("--metrics-listen", config.metrics_listen,
                 "HOST:PORT of HTTP for /metrics, /healthz and /readyz; none without");
  app.add_option("--log-level", config.log.level, "trace, debug, info, warn, error or off");
  app.add_option("--log-format", config.log.format, "text, or json: an object a line");
}

// 64kb, 2gb: by the thousand and twenty-four.
void AddBytes(CLI::App& app, const std::string& name, int64_t& bytes, const std::string& what,
              int64_t most = int64_t{1} << 50, int64_t least = 1) {
  app.add_option(name, bytes, what)
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->check(CLI::Range(least, most));
}

void AddLimits(CLI::App& app, Config& config) {
  serving::Limits& limits = config.limits;
  AddBytes(app, "--max-message-bytes", limits.message_bytes, "Of one request or part of a stream",
           kMostOfMessage);
  AddBytes(app, "--max-reply-bytes", limits.reply_bytes, "Of the numbers in one reply",
           kMostOfMessage);
  AddBytes(app, "--max-upload-bytes", limits.upload_bytes, "Of one dataset");
  AddBytes(app, "--max-import-bytes", limits.import_bytes, "Of one model file");
  AddBytes(app, "--max-in-flight-bytes", limits.in_flight_bytes,
           "Of all calls together, received and not yet answered");
  AddBytes(app, "--model-memory", config.model_bytes,
           "Of loaded models: the least recently used leave first");
  AddBytes(app, "--job-memory", config.job_bytes,
           "Of running train jobs together, about; others wait. 0: half of the machine's",
           int64_t{1} << 50, 0);
  app.add_option("--max-rows", limits.rows, "Rows of one message; streams have any number")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-in-flight-rows", limits.in_flight_rows,
                 "Rows of all calls together that are waited for")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-batch-rows", config.max_batch_rows,
                 "Rows of the calls that are computed together")
      ->check(CLI::PositiveNumber);
  app.add_option("--batch-delay-us", config.batch_delay_us,
                 "Microseconds that a call waits for others to be computed with")
      ->check(CLI::Range(0, 1'000'000));
}

void AddAccessOptions(CLI::App& app, access::Options& access) {
  app.add_option("--tls-cert", access.tls.certificate, "PEM file: the certificate and its chain");
  app.add_option("--tls-key", access.tls.key, "PEM file: the certificate's private key");
  app.add_option("--tls-client-ca", access.tls.client_ca,
                 "PEM file: clients must show a certificate of one of these authorities");
  app.add_option("--token-file", access.token_file,
                 "File of the callers' tokens, hashed; `sluice token new` makes its lines");
  app.add_option(
      "--rate-limit", access.rate_limit,
      "REQUESTS_PER_SECOND[:BURST] of each caller, or address where there are no tokens");
  app.add_flag("--insecure", access.insecure,
               "Listen to other machines without TLS, where something else keeps strangers out");
}

// --max-rows is SLUICE_MAX_ROWS in the environment, and so is every name that a file may
// have.
void NameVariables(CLI::App& app) {
  for (CLI::Option* option : app.get_options({})) {
    if (!option->get_configurable()) continue;
    std::string variable = "SLUICE_" + option->get_lnames().front();
    for (char& c : variable) c = c == '-' ? '_' : static_cast<char>(std::toupper(c));
    option->envname(variable);
  }
}

// The environment's options before those of the command line, of which the last counts;
// in the order that CLI11 wants: from the back. CLI11 itself ranks the file higher.
std::vector<std::string> Arguments(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> arguments;
  for (const CLI::Option* option : app.get_options()) {
    const std::string variable = option->get_envname();
    const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') {
      arguments.push_back("--" + option->get_lnames().front() + "=" + value);
    }
  }
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

void Parse(CLI::App& app, const Config& config, int argc, char** argv) {
  bool print = false;
  app.add_flag("--print-config", print, "Print the configuration as a file for --config, and end")
      ->configurable(false);
  try {
    app.parse(Arguments(app, argc, argv));
    if (print) {
      std::cout << app.config_to_str(/*default_also=*/true, /*write_description=*/true);
      std::exit(0);
    }
    if (config.data_dir.empty()) throw CLI::RequiredError("--data-dir");
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : kUsage);
  }
}

}  // namespace

Config ParseConfig(int argc, char** argv) {
  Config config;
  CLI::App app("The Sluice server: trains and serves normalising flows over gRPC.", "sluiced");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.option_defaults()->take_last()->always_capture_default();
  AddOptions(app, config);
  AddKeeping(app, config);
  AddLimits(app, config);
  AddAccessOptions(app, config.access);
  NameVariables(app);
  Parse(app, config, argc, argv);
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (config.threads == 0) config.threads = cores;
  if (config.train_run.threads == 0) {
    config.train_run.threads = std::max(1, cores / config.max_running_jobs);
  }
  return config;
}

}  // namespace sluiced
