// Tokens that let callers into a server, and the lines that tell the server so.
#pragma once

#include <string>

#include "sluice/result.h"

namespace sluice::cli {

// 256 random bits: "sluice_" and 64 hexadecimal digits. The word lets scanners for
// leaked secrets find it.
std::string NewToken();

// The line for the server's --token-file, which holds the token's SHA-256 and not the
// token: "NAME SCOPES sha256:HEX". INVALID_ARGUMENT for what the server would refuse.
Result<std::string> TokenLine(const std::string& name, const std::string& scopes,
                              const std::string& token);

}  // namespace sluice::cli
