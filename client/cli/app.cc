#include "client/cli/app.h"

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/context.h"
#include "client/cli/nearest_word.h"
#include "client/cli/validators.h"

namespace sluice::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  sluice dataset generate wow --text WOW --rows 5000
  sluice train wow --dataset wow --epochs 600
  sluice sample wow -n 10000 --seed 1 -o samples.npy
  sluice plot density wow -o density.png

Data goes to stdout or -o FILE (- is stdout), messages and progress to stderr.
NO_COLOR turns colours off. MODEL is NAME, NAME@VERSION or NAME@ALIAS.

Exit codes: 0 done, 1 refused, failed or a law broken, 2 wrong command line, 3 no server answers or
it is not serving, 4 the watched job failed or was cancelled, 130 interrupted (a watched
job goes on).)";

constexpr const char* kCommandFooter = R"(
--server, --format and --timeout are understood everywhere: see sluice --help.)";

void AddAccessOptions(CLI::App& app, Context& context) {
  app.add_option("--token-file", context.token_file,
                 "File that holds the token to call with (otherwise that of $SLUICE_TOKEN)");
  app.add_flag("--tls", context.tls, "Use TLS, and believe the system's authorities");
  app.add_option("--tls-ca", context.tls_files.ca_file, "Use TLS, and believe those of a PEM file")
      ->envname("SLUICE_TLS_CA");
  app.add_option("--tls-server-name", context.tls_files.server_name,
                 "Name that the server's certificate holds, where it is not the address's")
      ->envname("SLUICE_TLS_SERVER_NAME");
  app.add_option("--tls-cert", context.tls_files.cert_file,
                 "PEM file: certificate to show the server")
      ->envname("SLUICE_CLIENT_CERT");
  app.add_option("--tls-key", context.tls_files.key_file, "PEM file: its private key")
      ->envname("SLUICE_CLIENT_KEY");
  app.add_flag("--insecure", context.insecure,
               "Let the token travel to another machine without TLS");
}

void AddGlobalOptions(CLI::App& app, Context& context) {
  app.set_version_flag("--version", std::string("sluice ") + SLUICE_VERSION);
  app.add_option("--server", context.server, "HOST:PORT or unix:PATH of the server")
      ->envname("SLUICE_SERVER")
      ->check(ServerAddress())
      ->capture_default_str();
  app.add_option("--format", context.format, "How listings are printed: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_option("--timeout", context.timeout_seconds,
                 "Seconds to wait for the server: for a reply, or for the next piece of a long\n"
                 "result. A large sample or a watched job may take longer as a whole")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  AddAccessOptions(app, context);
  // Global options are understood after the subcommand too.
  app.fallthrough();
  app.require_subcommand(1);
}

// Errors that a caller can mend without a look at the server's log.
bool SaysItself(Code code) {
  return code == Code::kInvalidArgument || code == Code::kNotFound ||
         code == Code::kAlreadyExists || code == Code::kFailedPrecondition;
}

int Report(const CommandFailure& failure, const Context& context) {
  const Status& status = failure.status;
  if (failure.exit_code == kExitUsage) {
    std::cerr << "sluice: " << status.message << " (see --help)" << std::endl;
    return kExitUsage;
  }
  std::string line = std::string("sluice: ") + NameOf(status.code) + ": " + status.message;
  // The library says it in some messages itself.
  if (!status.field.empty() && status.message.find(status.field) == std::string::npos) {
    line += " (" + status.field + ")";
  }
  if (status.code == Code::kUnavailable) {
    line += "; is sluiced running at " + context.server;
    line += context.wants_tls() ? "? (see --server)" : ", without TLS? (see --server, --tls-ca)";
  }
  if (!status.request_id.empty() && !SaysItself(status.code)) {
    line += " [request " + status.request_id + "]";
  }
  if (status.code == Code::kDeadlineExceeded) line += "; --timeout SECONDS waits longer";
  if (status.code == Code::kUnauthenticated) line += " (see SLUICE_TOKEN and --token-file)";
  for (char& c : line) {
    if (c == '\n' || c == '\r' || c == '\x1b') c = ' ';
  }
  std::cerr << line << std::endl;
  return failure.exit_code;
}

// The words are looked for where the line went wrong: among the subcommands of the
// last one that was understood.
std::string Unknown(const CLI::App& app, const std::string& typed) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string> words;
  for (const CLI::App* command : at->get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(command->get_name());
  }
  const std::string nearest = NearestWord(typed, words);
  return "'" + typed + "' is unknown" +
         (nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
}

int Parse(CLI::App& app, const Context& context, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return app.exit(error);
    }
    const std::vector<std::string> unknown = app.remaining(true);
    const std::string what = unknown.empty() ? error.what() : Unknown(app, unknown[0]);
    std::cerr << "sluice: " << what << " (see --help)" << std::endl;
    return kExitUsage;
  } catch (const CommandFailure& failure) {
    return Report(failure, context);
  } catch (const std::exception& error) {
    std::cerr << "sluice: INTERNAL: " << error.what() << std::endl;
    return kExitError;
  }
  return kExitOk;
}

}  // namespace

int RunCli(int argc, const char* const* argv) {
  Context context;
  CLI::App app("Sluice: train and serve normalising flows.", "sluice");
  AddGlobalOptions(app, context);
  app.footer(kCommandFooter);  // Which subcommands take over.
  AddHealthCommand(app, context);
  AddTopCommand(app, context);
  AddDatasetCommands(app, context);
  AddTargetCommands(app, context);
  AddModelCommands(app, context);
  AddTrainCommand(app, context);
  AddJobCommands(app, context);
  AddSampleCommand(app, context);
  AddInferenceCommands(app, context);
  AddEvaluateCommands(app, context);
  AddBenchCommand(app, context);
  AddPlotCommands(app, context);
  AddTokenCommands(app, context);
  AddBackupCommand(app, context);
  app.footer(kFooter);
  ReadNumbersStrictly(app);
  return Parse(app, context, argc, argv);
}

}  // namespace sluice::cli
