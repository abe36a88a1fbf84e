// What makes a connection safe: its credentials, and when a token may go over it.
#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

#include "sluice/client.h"
#include "sluice/result.h"

namespace sluice {

// Whether `address` can only be this machine: unix:, localhost, or a literal loopback
// address. A name that begins like one is none ("127.0.0.1.example.org").
bool IsLocal(const std::string& address);

// Reads the files that the options name. INVALID_ARGUMENT naming the option whose
// file cannot be used.
Result<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(const ClientOptions& options);

// INVALID_ARGUMENT for a token that no header can hold, or that would travel in
// plaintext to another machine.
Status CheckToken(const std::string& address, const ClientOptions& options);

}  // namespace sluice
