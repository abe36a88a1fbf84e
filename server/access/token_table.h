// TokenTable: who holds which token, by the tokens' hashes.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/access/scope.h"

namespace sluiced::access {

// SHA-256. Tokens are 256 random bits, so that neither salt nor a slow hash would
// add anything: there is nothing to guess.
using TokenHash = std::array<unsigned char, 32>;
TokenHash HashToken(absl::string_view token);

// Whom a token belongs to, and what it opens.
struct Grant {
  std::string name;
  Scopes scopes;
};

// Immutable after Parse, and so thread-safe.
class TokenTable {
 public:
  // A token a line, as `sluice token new` prints it: NAME SCOPES sha256:HEX. Empty
  // lines and those that begin with # are passed over; a name may have several
  // tokens. INVALID_ARGUMENT names the line and quotes none of it, since people
  // paste tokens where their hashes belong.
  static absl::StatusOr<TokenTable> Parse(absl::string_view text);

  // nullptr where nobody holds it. How long it takes tells nothing of the hashes
  // beyond the eight bytes that they are looked up by.
  const Grant* Find(const TokenHash& hash) const;

  size_t size() const { return tokens_.size(); }

 private:
  struct Token {
    TokenHash hash;
    Grant grant;
  };

  absl::Status AddLine(absl::string_view line);
  static uint64_t KeyOf(const TokenHash& hash) {
    uint64_t key;
    std::memcpy(&key, hash.data(), sizeof(key));
    return key;
  }

  std::unordered_multimap<uint64_t, Token> tokens_;
};

}  // namespace sluiced::access
