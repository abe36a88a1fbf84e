#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/files/files.h"
#include "client/cli/token.h"

namespace sluice::cli {
namespace {

struct NewTokenOptions {
  std::string name;
  std::string scopes;
  std::string output;  // Of the token.
  std::string add_to;  // The server's file.
};

[[noreturn]] void FailOf(const std::string& path) {
  Fail(FileError(Code::kUnknown, path, std::strerror(errno)));
}

// Makes the file, for its owner alone, where it is not there. One write, so that
// the server never sees half of `text`.
void WriteSecretly(const std::string& path, int mode, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0600);
  if (file < 0) FailOf(path);
  const ssize_t written = write(file, text.data(), text.size());
  if (close(file) != 0 || written != static_cast<ssize_t>(text.size())) FailOf(path);
}

// A file that people have edited may lack its last line end.
void AddLine(const std::string& path, const std::string& line) {
  std::string before;
  if (access(path.c_str(), F_OK) == 0) before = OrFail(ReadFile(path));
  const bool open_line = !before.empty() && before.back() != '\n';
  WriteSecretly(path, O_APPEND, (open_line ? "\n" : "") + line + "\n");
}

void MakeToken(const NewTokenOptions& options) {
  const std::string token = NewToken();
  const Result<std::string> line = TokenLine(options.name, options.scopes, token);
  if (!line.ok()) FailUsage(line.status().message);
  // First, since a token that was not kept can be made anew.
  if (options.output.empty()) {
    std::cout << token << std::endl;
  } else {
    WriteSecretly(options.output, O_EXCL, token + "\n");
  }
  if (options.add_to.empty()) {
    Say("add this line to the file of sluiced --token-file:");
    std::cerr << *line << std::endl;
  } else {
    AddLine(options.add_to, *line);
  }
}

}  // namespace

void AddTokenCommands(CLI::App& app, Context& /*context*/) {
  CLI::App* group = app.add_subcommand("token", "Tokens that let callers into a server");
  group->require_subcommand(1);
  auto options = std::make_shared<NewTokenOptions>();
  CLI::App* command =
      group->add_subcommand("new", "Make a token: printed once, kept by the server as a hash");
  command->add_option("NAME", options->name, "Of the caller, for logs and limits")->required();
  command->add_option("--scopes", options->scopes, "infer, train, admin, with commas between them")
      ->required();
  command->add_option("-o,--output", options->output,
                      "New file for the token, readable by its owner alone (stdout)");
  command->add_option("--add", options->add_to,
                      "File of sluiced --token-file that gets the line (stderr)");
  command->callback([options] { MakeToken(*options); });
}

}  // namespace sluice::cli
