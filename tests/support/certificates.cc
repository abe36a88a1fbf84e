#include "tests/support/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace sluice::testing {
namespace {

void Check(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed");
}

std::string TextOf(BIO* bio) {
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio, &text);
  std::string copy(text, static_cast<size_t>(size));
  BIO_free(bio);
  return copy;
}

Pem PemOf(X509* certificate, EVP_PKEY* key) {
  BIO* certificate_text = BIO_new(BIO_s_mem());
  BIO* key_text = BIO_new(BIO_s_mem());
  Check(PEM_write_bio_X509(certificate_text, certificate) == 1);
  Check(PEM_write_bio_PKCS8PrivateKey(key_text, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return {.certificate = TextOf(certificate_text), .key = TextOf(key_text)};
}

std::shared_ptr<EVP_PKEY> NewKey() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  Check(key != nullptr);
  return key;
}

void AddExtension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  Check(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

// Unsigned.
std::shared_ptr<X509> NewCertificate(const std::string& name, EVP_PKEY* key,
                                     const Validity& validity) {
  std::shared_ptr<X509> made(X509_new(), X509_free);
  Check(X509_set_version(made.get(), 2) == 1);
  Check(X509_gmtime_adj(X509_getm_notBefore(made.get()), validity.from) != nullptr);
  Check(X509_gmtime_adj(X509_getm_notAfter(made.get()), validity.until) != nullptr);
  Check(X509_set_pubkey(made.get(), key) == 1);
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  Check(X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, text, -1,
                                   -1, 0) == 1);
  return made;
}

}  // namespace

std::string LockedKey(const std::string& password) {
  BIO* text = BIO_new(BIO_s_mem());
  Check(PEM_write_bio_PKCS8PrivateKey(text, NewKey().get(), EVP_aes_256_cbc(), password.data(),
                                      static_cast<int>(password.size()), nullptr, nullptr) == 1);
  return TextOf(text);
}

Authority::Authority(const std::string& name)
    : key_(NewKey()), certificate_(NewCertificate(name, key_.get(), {})) {
  X509* own = certificate_.get();
  Check(X509_set_issuer_name(own, X509_get_subject_name(own)) == 1);
  AddExtension(own, own, NID_basic_constraints, "critical,CA:TRUE");
  Check(X509_sign(own, key_.get(), EVP_sha256()) > 0);
  pem_ = PemOf(own, key_.get());
}

Pem Authority::Issue(const std::string& name, const Validity& validity) const {
  const std::shared_ptr<EVP_PKEY> key = NewKey();
  const std::shared_ptr<X509> made = NewCertificate(name, key.get(), validity);
  Check(X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get())) == 1);
  AddExtension(made.get(), certificate_.get(), NID_subject_alt_name,
               ("DNS:" + name + ",DNS:localhost,IP:127.0.0.1").c_str());
  Check(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
  return PemOf(made.get(), key.get());
}

}  // namespace sluice::testing
