// Uses the installed client as a stranger would. No server runs: the first call
// must say so instead of blocking.
#include <sluice/client.h>

#include <chrono>
#include <cstdio>

int main() {
  // A variable that -Wshadow -Werror would refuse, were it handed on.
  int code = 0;
  {
    int code = 1;
    (void)code;
  }
  sluice::ClientOptions options;
  options.timeout = std::chrono::seconds(10);
  const auto client = sluice::Client::Connect("unix:/nonexistent/sluice.sock", options);
  const sluice::Result<sluice::Client::Health> health = client->CheckHealth();
  std::printf("%s\n", health.status().ToString().c_str());
  if (health.ok() || health.status().code != sluice::Code::kUnavailable) code = 1;
  return code;
}
