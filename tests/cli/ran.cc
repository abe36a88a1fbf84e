#include "tests/cli/ran.h"

#include <sys/wait.h>

#include <cstdio>

#include "client/cli/files/files.h"

namespace sluice::cli {

Ran RunIn(const std::string& directory, const std::string& command) {
  Ran ran;
  FILE* pipe = popen(("cd " + directory + " && " + command + " 2>err.txt").c_str(), "r");
  if (pipe == nullptr) return ran;
  char buffer[4096];
  for (size_t n = 0; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) ran.out.append(buffer, n);
  const int status = pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  ran.err = *ReadFile(directory + "/err.txt");
  return ran;
}

}  // namespace sluice::cli
