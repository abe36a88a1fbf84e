#include "server/access/access.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluiced::access {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Access, WithoutOptionsAsksNothing) {
  const auto access = Access::Open({});
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ((*access)->tls(), nullptr);
  EXPECT_EQ((*access)->tokens(), nullptr);
  EXPECT_EQ((*access)->limiter(), nullptr);
}

TEST(Access, NamesTheOptionToMend) {
  Options tokens;
  tokens.token_file = "/nonexistent/tokens";
  EXPECT_THAT(std::string(Access::Open(tokens).status().message()),
              HasSubstr("--token-file /nonexistent/tokens: No such file"));
  Options rate;
  rate.rate_limit = "often";
  EXPECT_THAT(std::string(Access::Open(rate).status().message()),
              AllOf(HasSubstr("--rate-limit"), HasSubstr("'often'")));
  Options tls;
  tls.tls.certificate = "/nonexistent/cert.pem";
  tls.tls.key = "/nonexistent/key.pem";
  EXPECT_THAT(std::string(Access::Open(tls).status().message()), HasSubstr("--tls-cert"));
}

TEST(Access, OtherMachinesNeedTlsOrTheWord) {
  EXPECT_TRUE(CheckListen("127.0.0.1:50051", {}).ok());
  EXPECT_TRUE(CheckListen("unix:/run/sluice.sock", {}).ok());
  Options options;
  for (const char* address : {"0.0.0.0:50051", "[::]:50051", "example.org:1"}) {
    const std::string refused(CheckListen(address, options).message());
    EXPECT_THAT(refused, AllOf(HasSubstr(address), HasSubstr("--tls-cert"), HasSubstr("127.0.0.1"),
                               HasSubstr("--insecure")));
  }
  options.insecure = true;
  EXPECT_TRUE(CheckListen("0.0.0.0:50051", options).ok());
  Options tls;
  tls.tls.certificate = "cert.pem";
  EXPECT_TRUE(CheckListen("0.0.0.0:50051", tls).ok());
}

}  // namespace
}  // namespace sluiced::access
