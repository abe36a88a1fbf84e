#include "tests/support/freezing_relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace sluice::testing {
namespace {

constexpr int kLookMs = 20;  // For Freeze.

sockaddr_in Local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// False once there is nothing more to pass on.
bool Pass(int from, int to) {
  char bytes[4096];
  const ssize_t size = recv(from, bytes, sizeof(bytes), 0);
  return size > 0 && send(to, bytes, static_cast<size_t>(size), MSG_NOSIGNAL) == size;
}

}  // namespace

FreezingRelay::FreezingRelay(int server_port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  server_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in own = Local(0);
  const sockaddr_in server = Local(server_port);
  socklen_t size = sizeof(own);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&own), size) != 0 ||
      listen(listener_, 1) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size) != 0 ||
      connect(server_, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) != 0) {
    throw std::runtime_error("no relay");
  }
  port_ = ntohs(own.sin_port);
  thread_ = std::thread([this] { Relay(); });
}

FreezingRelay::~FreezingRelay() {
  if (thread_.joinable()) Freeze();
  for (const int handle : {listener_, client_, server_}) {
    if (handle >= 0) close(handle);
  }
}

void FreezingRelay::Relay() {
  while (!frozen_) {
    pollfd handles[] = {{client_ < 0 ? listener_ : client_, POLLIN, 0}, {server_, POLLIN, 0}};
    if (poll(handles, 2, kLookMs) <= 0) continue;
    if (client_ < 0) {
      if (handles[0].revents != 0) client_ = accept(listener_, nullptr, nullptr);
      continue;
    }
    if (handles[0].revents != 0 && !Pass(client_, server_)) return;
    if (handles[1].revents != 0 && !Pass(server_, client_)) return;
  }
}

void FreezingRelay::Freeze() {
  frozen_ = true;
  thread_.join();
}

bool FreezingRelay::ServerLeavesWithin(std::chrono::milliseconds time) const {
  pollfd handle = {server_, POLLRDHUP, 0};
  return poll(&handle, 1, static_cast<int>(time.count())) > 0;
}

}  // namespace sluice::testing
