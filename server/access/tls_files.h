// TlsFiles: the certificate, the key and the authorities that the server shows and
// asks for.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "server/access/watched_files.h"

namespace sluiced::access {

struct TlsPaths {
  std::string certificate;  // Its chain after it. Empty: no TLS.
  std::string key;
  std::string client_ca;  // Empty: clients need no certificate.

  bool any() const { return !certificate.empty() || !key.empty() || !client_ca.empty(); }
};

// Checked: the key is the certificate's.
struct TlsTexts {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

// Thread-safe but for Poll, which one thread calls at a time.
class TlsFiles {
 public:
  // INVALID_ARGUMENT naming the option that is missing, or whose file cannot be used.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Open(const TlsPaths& paths);

  bool asks_clients() const { return files_.size() == 3; }
  // As of the last Poll. Another pointer when a file has changed.
  std::shared_ptr<const TlsTexts> texts() const;
  // Takes up changed files, at the second poll that sees them. Ones that do not go together change
  // nothing and are logged: while a renewal has replaced the certificate but not yet the key, the
  // old pair serves on.
  void Poll() { watched_.Poll(); }

 private:
  explicit TlsFiles(std::vector<NamedFile> files);
  absl::StatusOr<std::string> Take(const std::vector<std::string>& texts);

  const std::vector<NamedFile> files_;
  mutable std::mutex mu_;
  std::shared_ptr<const TlsTexts> texts_ ABSL_GUARDED_BY(mu_);
  WatchedFiles watched_;
};

}  // namespace sluiced::access
