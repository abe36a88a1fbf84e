// FreezingRelay: a network between a client and a server that goes dead without a word.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace sluice::testing {

// Passes on the bytes of one connection to a port of this machine, both ways, until
// frozen: then nothing goes through, and neither side is told. Throws where it fails.
class FreezingRelay {
 public:
  explicit FreezingRelay(int server_port);
  ~FreezingRelay();
  FreezingRelay(const FreezingRelay&) = delete;
  FreezingRelay& operator=(const FreezingRelay&) = delete;

  int port() const { return port_; }
  void Freeze();
  // Whether the server gives the connection up within this time. After Freeze only.
  bool ServerLeavesWithin(std::chrono::milliseconds time) const;

 private:
  void Relay();

  int listener_ = -1, client_ = -1, server_ = -1;
  int port_ = 0;
  std::atomic<bool> frozen_ = false;
  std::thread thread_;
};

}  // namespace sluice::testing
