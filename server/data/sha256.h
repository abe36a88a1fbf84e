// SHA-256 of a stream of bytes, by OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

typedef struct evp_md_ctx_st EVP_MD_CTX;  // NOLINT(modernize-use-using): OpenSSL's own spelling.

namespace sluiced::data {

class Sha256 {
 public:
  Sha256();
  void Add(std::span<const std::byte> bytes);
  void Add(absl::string_view text);
  std::string Hex() &&;

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX *)> context_;
};

}  // namespace sluiced::data
