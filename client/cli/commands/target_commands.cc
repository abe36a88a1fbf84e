#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/term/format.h"
#include "client/cli/term/json_view.h"
#include "client/cli/term/listing.h"

namespace sluice::cli {
namespace {

void List(Context& context) {
  const std::vector<Target> targets = OrFail(context.client().ListTargets());
  if (context.json()) return PrintJson(ToJson(targets));
  std::vector<Cells> rows;
  for (const Target& target : targets) {
    rows.push_back({target.id, std::to_string(target.dim),
                    target.log_z ? FormatNumber(*target.log_z, 7) : "unknown", target.description});
  }
  PrintTable({"TARGET", "DIM", "LOG Z", "DESCRIPTION"}, rows);
}

}  // namespace

void AddTargetCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("target", "The built-in unnormalised densities");
  group->require_subcommand(1);
  group->add_subcommand("list", "All targets")->callback([&context] { List(context); });
}

}  // namespace sluice::cli
