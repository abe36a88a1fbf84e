#include "server/access/access.h"

#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/access/address.h"
#include "server/common/status_macros.h"

namespace sluiced::access {

absl::StatusOr<std::unique_ptr<Access>> Access::Open(const Options& options) {
  auto access = absl::WrapUnique(new Access());
  std::vector<Reloader::Poll> polls;
  if (options.tls.any()) {
    ASSIGN_OR_RETURN(access->tls_, TlsFiles::Open(options.tls));
    polls.emplace_back([tls = access->tls_.get()] { tls->Poll(); });
  }
  if (!options.token_file.empty()) {
    ASSIGN_OR_RETURN(access->tokens_, TokenFile::Open(options.token_file));
    polls.emplace_back([tokens = access->tokens_.get()] { tokens->Poll(); });
  }
  if (!options.rate_limit.empty()) {
    const absl::StatusOr<Rate> rate = ParseRate(options.rate_limit);
    if (!rate.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--rate-limit ", rate.status().message()));
    }
    access->limiter_ = std::make_unique<RateLimiter>(*rate);
  }
  access->reloader_ = std::make_unique<Reloader>(std::move(polls), options.reload_interval);
  return access;
}

absl::Status CheckListen(absl::string_view address, const Options& options) {
  if (options.tls.any() || IsLocal(address)) return absl::OkStatus();
  if (!options.insecure) {
    return absl::InvalidArgumentError(absl::StrCat(
        "will not listen on ", address,
        ", which other machines may reach, without TLS: give --tls-cert and --tls-key, listen on "
        "127.0.0.1, or say --insecure where something else keeps strangers out"));
  }
  spdlog::warn("--insecure: all that goes over {} can be read and changed on its way{}",
               std::string(address), options.token_file.empty() ? "" : ", tokens included");
  return absl::OkStatus();
}

}  // namespace sluiced::access
