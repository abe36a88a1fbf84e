#include "server/rpc/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <string>
#include <utility>

namespace sluiced::rpc {
namespace {

// gRPC's own watcher of files (FileWatcherCertificateProvider) lets go of a
// certificate when its file is gone for a moment, and takes one that does not fit its
// key: connections then fail until both are mended. So the files are watched, and
// checked, by TlsFiles, and gRPC asks for them here at each new connection.
class ReloadedCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadedCredentials(const access::TlsFiles* files) : files_(files) {}

  // Tokens are looked at in gate.h, with and without TLS.
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    const auto request = files_->asks_clients()
                             ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                             : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    grpc_server_credentials* credentials = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(request, Fetch, this));
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  // gRPC calls it for one connection at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<ReloadedCredentials*>(self)->Fetch(config);
  }
  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config) {
    std::shared_ptr<const access::TlsTexts> texts = files_->texts();
    if (texts == given_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair = {.private_key = texts->key.c_str(),
                                             .cert_chain = texts->certificate.c_str()};
    // gRPC 1.51 ends the process where it gets no authorities. Where no client is asked
    // for a certificate none is believed either, whatever stands here.
    const std::string& authorities =
        texts->client_ca.empty() ? texts->certificate : texts->client_ca;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    given_ = std::move(texts);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const access::TlsFiles* const files_;
  std::shared_ptr<const access::TlsTexts> given_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const access::TlsFiles* files) {
  return std::make_shared<ReloadedCredentials>(files);
}

}  // namespace sluiced::rpc
