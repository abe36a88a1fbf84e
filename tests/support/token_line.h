// TokenLine: lines of token files, for tokens that tests think up.
#pragma once

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/access/token_table.h"

namespace sluiced::testing {

inline std::string HexHash(absl::string_view token) {
  const access::TokenHash hash = access::HashToken(token);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

// With its end.
inline std::string TokenLine(absl::string_view name, absl::string_view scopes,
                             absl::string_view token) {
  return absl::StrCat(name, " ", scopes, " sha256:", HexHash(token), "\n");
}

}  // namespace sluiced::testing
