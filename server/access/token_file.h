// TokenFile: the tokens that the file of --token-file names.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "server/access/token_table.h"
#include "server/access/watched_files.h"

namespace sluiced::access {

// Thread-safe but for Poll, which one thread calls at a time.
class TokenFile {
 public:
  static absl::StatusOr<std::unique_ptr<TokenFile>> Open(const std::string& path);

  // As of the last Poll. Another pointer when the file has changed.
  std::shared_ptr<const TokenTable> table() const;
  // Takes up a changed file, at the second poll that sees it. One that cannot be taken changes
  // nothing and is logged.
  void Poll() { file_.Poll(); }

 private:
  explicit TokenFile(const NamedFile& file);

  mutable std::mutex mu_;
  std::shared_ptr<const TokenTable> table_ ABSL_GUARDED_BY(mu_);
  WatchedFiles file_;
};

}  // namespace sluiced::access
