#include "server/access/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

namespace sluiced::access {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio Reader(absl::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// OpenSSL would ask for it on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* /*data*/) { return -1; }

Certificate ReadNext(BIO* bio) {
  return {PEM_read_bio_X509(bio, nullptr, NoPassword, nullptr), X509_free};
}

Key ReadKey(absl::string_view pem) {
  const Bio bio = Reader(pem);
  Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr), EVP_PKEY_free};
  ERR_clear_error();
  return key;
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm fields = {};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return absl::InfinitePast();
  return absl::FromTM(fields, absl::UTCTimeZone());
}

std::string SubjectOf(const X509* certificate) {
  const Bio out{BIO_new(BIO_s_mem()), BIO_free};
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

// Whether what ended the reading is the end of the text.
bool AtEnd() {
  const auto error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end;
}

}  // namespace

absl::StatusOr<CertificateFacts> ReadCertificates(absl::string_view pem) {
  const Bio bio = Reader(pem);
  ERR_clear_error();
  const Certificate first = ReadNext(bio.get());
  if (first == nullptr) {
    return absl::InvalidArgumentError(AtEnd() ? "holds no PEM certificate"
                                              : "holds a certificate that cannot be read");
  }
  while (ReadNext(bio.get()) != nullptr) {
  }
  if (!AtEnd()) return absl::InvalidArgumentError("holds a certificate that cannot be read");
  return CertificateFacts{.subject = SubjectOf(first.get()),
                          .not_before = TimeOf(X509_get0_notBefore(first.get())),
                          .not_after = TimeOf(X509_get0_notAfter(first.get()))};
}

absl::Status CheckPrivateKey(absl::string_view pem) {
  if (ReadKey(pem) != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError("holds no PEM private key without a password");
}

bool KeyFits(absl::string_view key_pem, absl::string_view certificate_pem) {
  const Key key = ReadKey(key_pem);
  const Bio bio = Reader(certificate_pem);
  const Certificate certificate = ReadNext(bio.get());
  const bool fits = key != nullptr && certificate != nullptr &&
                    X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return fits;
}

}  // namespace sluiced::access
