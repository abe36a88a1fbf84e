#include <iostream>
#include <memory>
#include <string>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/files/output_file.h"
#include "client/cli/term/format.h"
#include "client/cli/term/redrawn_line.h"

namespace sluice::cli {
namespace {

// What is in a backup is not for everybody who may read the directory it lies in.
constexpr int kOwnerOnly = 0600;

std::string ProgressOf(const Client::BackupPart& part) {
  const std::string what = part.bytes.empty() ? "the server copies: " : "received: ";
  return what + FormatBytes(static_cast<double>(part.done)) + " of " +
         FormatBytes(static_cast<double>(part.total));
}

void Backup(Context& context, const std::string& path) {
  const auto file = OrFail(OutputFile::Create(path, kOwnerOnly));
  int64_t bytes = 0;
  {
    RedrawnLine line(DetectStderr(), RedrawnLine::Clock::now(), std::cerr);
    OrFail(context.client().Backup([&](const Client::BackupPart& part) {
      const auto now = RedrawnLine::Clock::now();
      if (line.IsDue(now)) line.Show(ProgressOf(part), now);
      bytes += static_cast<int64_t>(part.bytes.size());
      return file->Write(part.bytes);
    }));
  }
  // A backup that counts is on the disk.
  OrFail(file->Sync());
  OrFail(file->Commit());
  Say(FormatBytes(static_cast<double>(bytes)) + " of backup; sluiced --restore takes it");
}

}  // namespace

void AddBackupCommand(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "backup", "Write all that the server keeps to a file, for sluiced --restore");
  command->add_option("FILE", *path, "Replaced when it exists; - for stdout")->required();
  command->callback([&context, path] { Backup(context, *path); });
}

}  // namespace sluice::cli
