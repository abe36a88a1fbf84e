// Access: who may come in, as the options say.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/access/rate_limiter.h"
#include "server/access/reloader.h"
#include "server/access/tls_files.h"
#include "server/access/token_file.h"

namespace sluiced::access {

struct Options {
  TlsPaths tls;
  std::string token_file;  // Empty: the server asks nobody who they are.
  std::string rate_limit;  // As ParseRate takes it. Empty: none.
  bool insecure = false;   // Lets other machines in without TLS.
  std::chrono::milliseconds reload_interval = std::chrono::seconds(1);
};

// Thread-safe. Keeps what it read from files fresh while it lives.
class Access {
 public:
  // INVALID_ARGUMENT naming the option to mend.
  static absl::StatusOr<std::unique_ptr<Access>> Open(const Options& options);

  // nullptr where the options ask for none.
  const TlsFiles* tls() const { return tls_.get(); }
  const TokenFile* tokens() const { return tokens_.get(); }
  RateLimiter* limiter() const { return limiter_.get(); }

 private:
  Access() = default;

  std::unique_ptr<TlsFiles> tls_;
  std::unique_ptr<TokenFile> tokens_;
  std::unique_ptr<RateLimiter> limiter_;
  std::unique_ptr<Reloader> reloader_;  // Ends first.
};

// Whether the server may listen at `address` (HOST:PORT or unix:PATH): one that other
// machines reach needs TLS, or --insecure. INVALID_ARGUMENT says what to do.
absl::Status CheckListen(absl::string_view address, const Options& options);

}  // namespace sluiced::access
