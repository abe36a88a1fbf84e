// TlsCredentials: what gRPC listens with where there is TLS.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "server/access/tls_files.h"

namespace sluiced::rpc {

// Each new connection is made with the files as they are then, those before go on.
// Of clients a certificate is required where the files have authorities for them.
// Both `files` and what is returned must outlive the server: gRPC keeps neither.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const access::TlsFiles* files);

}  // namespace sluiced::rpc
