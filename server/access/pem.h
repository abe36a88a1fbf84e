// What is in PEM texts, by OpenSSL.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluiced::access {

// Of the first certificate.
struct CertificateFacts {
  std::string subject;  // "CN = example.org"
  absl::Time not_before;
  absl::Time not_after;
};

// INVALID_ARGUMENT where there is no certificate, or one that cannot be read.
absl::StatusOr<CertificateFacts> ReadCertificates(absl::string_view pem);

// INVALID_ARGUMENT where there is no private key, or one with a password.
absl::Status CheckPrivateKey(absl::string_view pem);

// Whether the two, both read before, belong together.
bool KeyFits(absl::string_view key_pem, absl::string_view certificate_pem);

}  // namespace sluiced::access
