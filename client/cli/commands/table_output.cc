#include "client/cli/commands/table_output.h"

#include "client/cli/command_failure.h"
#include "client/cli/context.h"
#include "client/cli/files/table_file.h"
#include "client/cli/term/format.h"

namespace sluice::cli {

void AddTableOutput(CLI::App& command, TableOutput* out) {
  command.add_option("-o,--output", out->file, "*.npy, *.csv, or - for stdout")
      ->capture_default_str();
  command.add_option("--format-out", out->format, "npy or csv, whatever the file's name");
}

void CheckTableOutput(const TableOutput& out) {
  if (out.file == "-" && out.format.empty()) return;
  const Result<TableFormat> format = FormatOf(out.file, out.format);
  if (format.ok()) return;
  FailUsage(format.status().message + (out.format.empty() ? "; say which with --format-out" : ""));
}

void SayNotFinite(int64_t rows) {
  if (rows > 0) Say("warning: " + FormatCount(rows) + " rows have no finite result");
}

}  // namespace sluice::cli
