#include "server/access/tls_files.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/access/pem.h"
#include "server/common/status_macros.h"

namespace sluiced::access {
namespace {

absl::Status CheckPaths(const TlsPaths& paths) {
  if (!paths.certificate.empty() && !paths.key.empty()) return absl::OkStatus();
  const absl::string_view missing = paths.certificate.empty() ? "--tls-cert" : "--tls-key";
  return absl::InvalidArgumentError(
      absl::StrCat(missing, " is missing: TLS takes --tls-cert and --tls-key together"));
}

std::string Describe(const CertificateFacts& facts) {
  const absl::Time now = absl::Now();
  const auto day = [](absl::Time time) {
    return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
  };
  std::string text =
      absl::StrCat("certificate of ", facts.subject, ", valid until ", day(facts.not_after));
  if (now > facts.not_after) absl::StrAppend(&text, ": EXPIRED, clients will refuse it");
  if (now < facts.not_before) {
    absl::StrAppend(&text, ": NOT VALID before ", day(facts.not_before),
                    ", clients will refuse it");
  }
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Open(const TlsPaths& paths) {
  RETURN_IF_ERROR(CheckPaths(paths));
  std::vector<NamedFile> named = {{.option = "--tls-cert", .path = paths.certificate},
                                  {.option = "--tls-key", .path = paths.key}};
  if (!paths.client_ca.empty()) {
    named.push_back({.option = "--tls-client-ca", .path = paths.client_ca});
  }
  auto files = absl::WrapUnique(new TlsFiles(std::move(named)));
  RETURN_IF_ERROR(files->watched_.Read());
  return files;
}

TlsFiles::TlsFiles(std::vector<NamedFile> files)
    : files_(std::move(files)),
      watched_(files_, [this](const std::vector<std::string>& texts) { return Take(texts); }) {}

absl::StatusOr<std::string> TlsFiles::Take(const std::vector<std::string>& texts) {
  const auto error = [this](size_t file, absl::string_view what) {
    return absl::InvalidArgumentError(About(files_[file], what));
  };
  const absl::StatusOr<CertificateFacts> facts = ReadCertificates(texts[0]);
  if (!facts.ok()) return error(0, facts.status().message());
  if (const absl::Status key = CheckPrivateKey(texts[1]); !key.ok()) {
    return error(1, key.message());
  }
  if (!KeyFits(texts[1], texts[0])) {
    return error(1, absl::StrCat("not the key of the certificate in ", files_[0].option, " ",
                                 files_[0].path));
  }
  if (asks_clients()) {
    const auto authorities = ReadCertificates(texts[2]);
    if (!authorities.ok()) return error(2, authorities.status().message());
  }
  auto next = std::make_shared<const TlsTexts>(TlsTexts{
      .certificate = texts[0], .key = texts[1], .client_ca = asks_clients() ? texts[2] : ""});
  std::lock_guard<std::mutex> lock(mu_);
  texts_ = std::move(next);
  return Describe(*facts);
}

std::shared_ptr<const TlsTexts> TlsFiles::texts() const {
  std::lock_guard<std::mutex> lock(mu_);
  return texts_;
}

}  // namespace sluiced::access
