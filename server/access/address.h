// Addresses: which are of this machine, and which are of the same peer.
#pragma once

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace sluiced::access {

// "host:port" at its last colon; the port is empty where there is none.
std::pair<absl::string_view, absl::string_view> SplitAddress(absl::string_view address);

// Whether what listens at `address` (HOST:PORT or unix:PATH) is reached from this
// machine alone: a socket file, localhost, or a literal loopback address.
bool IsLocal(absl::string_view address);

// Of gRPC's name for a peer ("ipv4:10.0.0.1:4711"), what stays the same over its
// connections: the address without the port, and of IPv6 the network of 64 bits,
// which is what one customer is given.
std::string PeerAddress(absl::string_view peer);

}  // namespace sluiced::access
