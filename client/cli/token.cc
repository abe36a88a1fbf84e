#include "client/cli/token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <sstream>

namespace sluice::cli {
namespace {

constexpr size_t kMaxName = 64;

std::string Hex(const std::array<unsigned char, 32>& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                  std::string("._@-").find(c) != std::string::npos;
         });
}

bool AreScopes(const std::string& scopes) {
  std::istringstream names(scopes + ",");
  for (std::string name; std::getline(names, name, ',');) {
    if (name != "infer" && name != "train" && name != "admin") return false;
  }
  return true;
}

}  // namespace

std::string NewToken() {
  std::array<unsigned char, 32> bytes;
  // Without randomness there is no token, and nothing else to do.
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) std::abort();
  return "sluice_" + Hex(bytes);
}

Result<std::string> TokenLine(const std::string& name, const std::string& scopes,
                              const std::string& token) {
  if (!IsName(name)) {
    return Failure(Code::kInvalidArgument,
                   "a name is up to " + std::to_string(kMaxName) + " letters, digits and ._@-");
  }
  if (!AreScopes(scopes)) {
    return Failure(Code::kInvalidArgument,
                   "--scopes takes infer, train and admin, with commas between them");
  }
  std::array<unsigned char, 32> hash;
  if (EVP_Digest(token.data(), token.size(), hash.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    std::abort();
  }
  return name + " " + scopes + " sha256:" + Hex(hash);
}

}  // namespace sluice::cli
