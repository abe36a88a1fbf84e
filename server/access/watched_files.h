// WatchedFiles: files that an option names, read at the start and again when they
// change.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced::access {

struct NamedFile {
  std::string option;  // "--token-file"
  std::string path;
};
// "--token-file /etc/tokens: WHAT"
std::string About(const NamedFile& file, absl::string_view what);

// One thread at a time. The files are compared by what is in them, once a poll: that
// sees every way of replacing one, links and mounts included. Each holds at most
// 1 MiB.
class WatchedFiles {
 public:
  // Takes the texts, in the order of the files. What it returns tells the log what
  // they hold ("3 tokens"); an error leaves in force what was taken before.
  using Take = std::function<absl::StatusOr<std::string>(const std::vector<std::string>& texts)>;

  WatchedFiles(std::vector<NamedFile> files, Take take);

  // INVALID_ARGUMENT naming the option whose file cannot be taken.
  absl::Status Read();
  // The same when the files have changed, and are as they were at the last poll: who
  // writes into them in place is not caught half way. What goes wrong is logged, once.
  void Poll();

 private:
  absl::StatusOr<std::vector<std::string>> ReadTexts() const;
  void Complain(const std::string& what);

  const std::vector<NamedFile> files_;
  const Take take_;
  std::vector<std::string> texts_;     // As they were when last tried, taken or not.
  std::vector<std::string> settling_;  // As they were at the last poll.
  std::string complaint_;              // The last one, while it holds.
};

}  // namespace sluiced::access
