#include "server/observe/metrics_http.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/http_get.h"

namespace sluiced::observe {
namespace {

using sluice::testing::HttpGet;
using ::testing::HasSubstr;

class MetricsHttpTest : public ::testing::Test {
 protected:
  MetricsHttpTest() {
    auto http = MetricsHttp::Start("127.0.0.1:0", &metrics_);
    EXPECT_TRUE(http.ok()) << http.status();
    if (http.ok()) http_ = *std::move(http);
  }

  Metrics metrics_{{"LogProb"}, {}};
  std::unique_ptr<MetricsHttp> http_;
};

TEST_F(MetricsHttpTest, MetricsAreTextOfTheVersionThatScrapersRead) {
  const auto answer = HttpGet(http_->port(), "/metrics");
  EXPECT_EQ(answer.code, 200);
  EXPECT_THAT(answer.headers, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer.body, HasSubstr("# TYPE sluice_build_info gauge\n"));
}

TEST_F(MetricsHttpTest, ProbesTellAliveFromReady) {
  EXPECT_EQ(HttpGet(http_->port(), "/healthz").code, 200);
  EXPECT_EQ(HttpGet(http_->port(), "/readyz").code, 503);
  metrics_.SetReady(true);
  EXPECT_EQ(HttpGet(http_->port(), "/readyz").code, 200);
  metrics_.SetReady(false);
  EXPECT_EQ(HttpGet(http_->port(), "/readyz").code, 503);
  EXPECT_EQ(HttpGet(http_->port(), "/healthz").code, 200);
}

TEST_F(MetricsHttpTest, HeadHasNoBodyAndOtherMethodsAreRefused) {
  const auto head = HttpGet(http_->port(), "/healthz", "HEAD");
  EXPECT_EQ(head.code, 200);
  EXPECT_EQ(head.body, "");
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    EXPECT_EQ(HttpGet(http_->port(), "/metrics", method).code, 405) << method;
  }
}

TEST_F(MetricsHttpTest, ThereIsNothingElse) {
  for (const char* path : {"/", "/metrics/x", "/metricsx", "/../etc/passwd", "/etc/passwd",
                           "/%2e%2e/etc/passwd", "/healthz/"}) {
    const int code = HttpGet(http_->port(), path).code;
    EXPECT_TRUE(code == 404 || code == 400) << path << " " << code;
  }
}

TEST_F(MetricsHttpTest, AddressesThatCannotBeHadAreSaidClearly) {
  for (const std::string& address :
       {std::string("9464"), std::string(""), std::string("127.0.0.1"), std::string("127.0.0.1:x"),
        std::string("127.0.0.1:0s"), std::string("127.0.0.1:70000"), std::string("127.0.0.1:"),
        std::string(":9464"), std::string("127.0.0.1:-1")}) {
    const auto http = MetricsHttp::Start(address, &metrics_);
    EXPECT_EQ(http.status().code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_THAT(std::string(http.status().message()), HasSubstr("--metrics-listen")) << address;
  }
  const auto nowhere = MetricsHttp::Start("192.0.2.1:0", &metrics_);
  EXPECT_EQ(nowhere.status().code(), absl::StatusCode::kUnavailable) << nowhere.status();
  const auto taken = MetricsHttp::Start("127.0.0.1:" + std::to_string(http_->port()), &metrics_);
  EXPECT_EQ(taken.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(taken.status().message()), HasSubstr("--metrics-listen"));
}

TEST_F(MetricsHttpTest, LocalhostIsAnAddress) {
  const auto http = MetricsHttp::Start("localhost:0", &metrics_);
  ASSERT_TRUE(http.ok()) << http.status();
  EXPECT_EQ(HttpGet((*http)->port(), "/healthz").code, 200);
}

}  // namespace
}  // namespace sluiced::observe
