#include <algorithm>
#include <iostream>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"

namespace sluice::cli {
namespace {

// A container's health check must end soon.
constexpr double kMostSeconds = 3;

void CheckHealth(Context& context) {
  context.timeout_seconds = std::min(context.timeout_seconds, kMostSeconds);
  const Client::Health health = OrFail(context.client().CheckHealth());
  if (!health.serving) {
    throw CommandFailure{
        kExitUnavailable,
        Failure(Code::kUnavailable, "the server at " + context.server + " is up but not serving")};
  }
  std::cout << "serving" << std::endl;
}

}  // namespace

void AddHealthCommand(CLI::App& app, Context& context) {
  app.add_subcommand("health", "Exit with 0 when the server is serving")->callback([&context] {
    CheckHealth(context);
  });
}

}  // namespace sluice::cli
