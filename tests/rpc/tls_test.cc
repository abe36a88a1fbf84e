// TLS and mutual TLS, accepted, refused and renewed.
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/rpc/access_fixture.h"
#include "tests/support/certificates.h"

namespace sluiced::testing {
namespace {

using grpc::StatusCode;
using sluice::testing::Authority;
using sluice::testing::Pem;
using sluice::testing::WriteText;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TlsTest : public AccessTest {
 protected:
  TlsTest() { Write(authority_.Issue("server")); }

  void Write(const Pem& pem) {
    WriteText(File("key.pem"), pem.key);
    WriteText(File("cert.pem"), pem.certificate);
  }
  Config WithTls() const {
    Config config;
    config.access.tls.certificate = File("cert.pem");
    config.access.tls.key = File("key.pem");
    config.access.reload_interval = std::chrono::milliseconds(1);
    return config;
  }
  Config WithMutualTls() const {
    WriteText(File("ca.pem"), authority_.certificate());
    Config config = WithTls();
    config.access.tls.client_ca = File("ca.pem");
    return config;
  }

  // A call over a connection of its own, of a client that believes `authority` and
  // shows `own`.
  static Seen Call(const TestServer& server, const Authority& authority, const Pem& own = {},
                   const std::string& token = "") {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = authority.certificate();
    options.pem_cert_chain = own.certificate;
    options.pem_private_key = own.key;
    return CallEmpty(server.Connect(grpc::SslCredentials(options)),
                     "/sluice.v1.ModelService/ListModels", token);
  }

  const Authority authority_{"an authority"};
  const Authority stranger_{"another authority"};
};

TEST_F(TlsTest, WhoBelievesTheAuthorityIsServed) {
  TestServer server(WithTls());
  EXPECT_EQ(Call(server, authority_).code, StatusCode::OK);
  EXPECT_EQ(Call(server, stranger_).code, StatusCode::UNAVAILABLE);
  EXPECT_EQ(CallEmpty(server.Connect(), "/sluice.v1.ModelService/ListModels", "").code,
            StatusCode::UNAVAILABLE);  // In plaintext.
}

TEST_F(TlsTest, AnExpiredCertificateIsRefusedByClients) {
  Write(authority_.Issue("server", {.from = -7200, .until = -3600}));
  TestServer server(WithTls());
  EXPECT_EQ(Call(server, authority_).code, StatusCode::UNAVAILABLE);
  Write(authority_.Issue("server"));
  EXPECT_TRUE(Await([&] { return Call(server, authority_).code; }, StatusCode::OK));
}

TEST_F(TlsTest, MutualTlsAsksForACertificateOfItsAuthorities) {
  TestServer server(WithMutualTls());
  EXPECT_EQ(Call(server, authority_, authority_.Issue("alice")).code, StatusCode::OK);
  EXPECT_EQ(Call(server, authority_).code, StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(server, authority_, stranger_.Issue("alice")).code, StatusCode::UNAVAILABLE);
  const Pem expired = authority_.Issue("alice", {.from = -7200, .until = -3600});
  EXPECT_EQ(Call(server, authority_, expired).code, StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, ACertificateDoesNotStandForAToken) {
  Config config = WithMutualTls();
  config.access.token_file = File("tokens");
  TestServer server(config);
  const Pem alice = authority_.Issue("alice");
  EXPECT_EQ(Call(server, authority_, alice).code, StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Call(server, authority_, alice, "infer").code, StatusCode::OK);
}

TEST_F(TlsTest, ARenewedCertificateIsTakenUpAndOldConnectionsGoOn) {
  TestServer server(WithTls());
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = authority_.certificate();
  const auto old_channel = server.Connect(grpc::SslCredentials(options));
  const std::string method = "/sluice.v1.ModelService/ListModels";
  EXPECT_EQ(CallEmpty(old_channel, method, "").code, StatusCode::OK);

  Write(stranger_.Issue("server"));
  EXPECT_TRUE(Await([&] { return Call(server, stranger_).code; }, StatusCode::OK));
  EXPECT_EQ(Call(server, authority_).code, StatusCode::UNAVAILABLE);
  EXPECT_EQ(CallEmpty(old_channel, method, "").code, StatusCode::OK);
}

TEST_F(TlsTest, ARenewalThatBreaksOffKeepsTheOldCertificate) {
  TestServer server(WithTls());
  WriteText(File("cert.pem"), stranger_.Issue("server").certificate);  // Of another key.
  EXPECT_EQ(Call(server, authority_).code, StatusCode::OK);
  std::filesystem::remove(File("key.pem"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Call(server, authority_).code, StatusCode::OK);
}

TEST_F(TlsTest, NewClientAuthoritiesAreTakenUp) {
  TestServer server(WithMutualTls());
  const Pem alice = stranger_.Issue("alice");
  EXPECT_EQ(Call(server, authority_, alice).code, StatusCode::UNAVAILABLE);
  WriteText(File("ca.pem"), stranger_.certificate());
  EXPECT_TRUE(Await([&] { return Call(server, authority_, alice).code; }, StatusCode::OK));
  EXPECT_EQ(Call(server, authority_, authority_.Issue("alice")).code, StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, CallersOfMutualTlsHaveTheirOwnRates) {
  Config config = WithMutualTls();
  config.access.rate_limit = "0.01:1";
  TestServer server(config);
  const Pem alice = authority_.Issue("alice");
  EXPECT_EQ(Call(server, authority_, alice).code, StatusCode::OK);
  EXPECT_EQ(Call(server, authority_, alice).code, StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(TlsTest, AServerThatCannotStartSaysWhichOptionToMend) {
  WriteText(File("key.pem"), authority_.Issue("other").key);
  Config config = WithTls();
  config.listen = "127.0.0.1:0";
  config.data_dir = File("data");
  const auto server = Server::Start(config);
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()),
              AllOf(HasSubstr("--tls-key"), HasSubstr(File("key.pem"))));
  EXPECT_FALSE(std::filesystem::exists(File("data")));  // Nothing was begun.
}

}  // namespace
}  // namespace sluiced::testing
