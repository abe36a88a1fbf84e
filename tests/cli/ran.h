// Ran: what a shell command came to.
#pragma once

#include <string>

namespace sluice::cli {

struct Ran {
  int code = -1;  // Of exit; minus the signal that ended it.
  std::string out, err;
};

// `command` in `directory`, its stderr in the file err.txt there.
Ran RunIn(const std::string& directory, const std::string& command);

}  // namespace sluice::cli
