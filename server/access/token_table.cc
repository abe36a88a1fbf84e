#include "server/access/token_table.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/common/check.h"
#include "server/common/status_macros.h"

namespace sluiced::access {
namespace {

constexpr size_t kMaxName = 64;
constexpr absl::string_view kTokenPrefix = "sluice_";

// Names go into logs and metrics as they are.
bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  absl::string_view("._@-").find(c) != absl::string_view::npos;
         });
}

absl::StatusOr<TokenHash> ParseHash(absl::string_view text) {
  if (absl::StartsWith(text, kTokenPrefix)) {
    return absl::InvalidArgumentError(
        "a token stands where its hash belongs: whoever read this file may know it, make another");
  }
  TokenHash hash;
  size_t size = 0;
  const bool whole =
      absl::ConsumePrefix(&text, "sha256:") && text.size() == 2 * hash.size() &&
      OPENSSL_hexstr2buf_ex(hash.data(), hash.size(), &size, std::string(text).c_str(), '\0') == 1;
  ERR_clear_error();
  if (whole && size == hash.size()) return hash;
  return absl::InvalidArgumentError("the hash is sha256: and 64 hexadecimal digits");
}

}  // namespace

TokenHash HashToken(absl::string_view token) {
  TokenHash hash;
  SLUICED_CHECK(
      EVP_Digest(token.data(), token.size(), hash.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return hash;
}

absl::StatusOr<TokenTable> TokenTable::Parse(absl::string_view text) {
  TokenTable table;
  int number = 0;
  for (const absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#') continue;
    if (const absl::Status added = table.AddLine(line); !added.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", added.message()));
    }
  }
  return table;
}

absl::Status TokenTable::AddLine(absl::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 3) return absl::InvalidArgumentError("a line is NAME SCOPES sha256:HEX");
  if (!IsName(words[0])) {
    return absl::InvalidArgumentError(
        absl::StrCat("a name is up to ", kMaxName, " letters, digits and ._@-"));
  }
  ASSIGN_OR_RETURN(const Scopes scopes, Scopes::Parse(words[1]));
  ASSIGN_OR_RETURN(const TokenHash hash, ParseHash(words[2]));
  // Else it would depend on their order who is who.
  if (Find(hash) != nullptr) return absl::InvalidArgumentError("the hash of a line before");
  tokens_.emplace(KeyOf(hash),
                  Token{.hash = hash, .grant = {.name = std::string(words[0]), .scopes = scopes}});
  return absl::OkStatus();
}

const Grant* TokenTable::Find(const TokenHash& hash) const {
  const auto [begin, end] = tokens_.equal_range(KeyOf(hash));
  for (auto it = begin; it != end; ++it) {
    const Token& token = it->second;
    if (CRYPTO_memcmp(token.hash.data(), hash.data(), hash.size()) == 0) return &token.grant;
  }
  return nullptr;
}

}  // namespace sluiced::access
