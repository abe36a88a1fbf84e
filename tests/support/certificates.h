// Certificates made on the spot, for tests of TLS.
#pragma once

#include <memory>
#include <string>

typedef struct x509_st X509;          // NOLINT(modernize-use-using): OpenSSL's own spelling.
typedef struct evp_pkey_st EVP_PKEY;  // NOLINT(modernize-use-using)

namespace sluice::testing {

struct Pem {
  std::string certificate;
  std::string key;
};

// A new key, as PEM that its password opens.
std::string LockedKey(const std::string& password);

// In seconds from now.
struct Validity {
  long from = -3600;
  long until = 3600;
};

// Signs certificates. Throws where OpenSSL fails.
class Authority {
 public:
  explicit Authority(const std::string& name);

  const std::string& certificate() const { return pem_.certificate; }
  // Of `name`, good for servers and clients on localhost and 127.0.0.1.
  Pem Issue(const std::string& name, const Validity& validity = {}) const;

 private:
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
  Pem pem_;
};

}  // namespace sluice::testing
