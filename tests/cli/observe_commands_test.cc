// Looking at a server as people do: `sluice top`, log lines, request ids and traces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "client/cli/exit_code.h"
#include "tests/cli/ran.h"
#include "tests/support/http_get.h"
#include "tests/support/pseudo_terminal.h"
#include "tests/support/server_process.h"

namespace sluice::cli {
namespace {

using nlohmann::json;
using sluice::testing::PseudoTerminal;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kTraceparent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class Observe : public ::testing::Test {
 protected:
  bool Start(const std::vector<std::string>& flags) {
    return server_.Start({.data_dir = directory_.path() + "/data", .flags = flags});
  }
  Ran Sluice(const std::string& arguments, const std::string& environment = "") const {
    return RunIn(directory_.path(),
                 "env -u TRACEPARENT -u SLUICE_TRACEPARENT SLUICE_SERVER=" + server_.address() +
                     " " + environment + " " SLUICE_BIN_DIR "/sluice " + arguments + " </dev/null");
  }
  std::vector<std::string> Top(const std::vector<std::string>& more) const {
    std::vector<std::string> command = {SLUICE_BIN_DIR "/sluice", "--server", server_.address(),
                                        "top"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }
  // The line of the log that is an object with this method.
  json LineOf(const std::string& method) const {
    std::istringstream lines(server_.Log());
    for (std::string line; std::getline(lines, line);) {
      const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
      EXPECT_TRUE(object.is_object()) << line;
      if (object.is_object() && object.value("method", "") == method) return object;
    }
    return json::object();
  }

  const sluice::testing::TempDir directory_;
  sluice::testing::ServerProcess server_;
};

TEST_F(Observe, ALineOfJsonHasItsFieldsApart) {
  ASSERT_TRUE(Start({"--log-level", "debug", "--log-format", "json"})) << server_.Log();
  EXPECT_EQ(Sluice("model create wow --dim 2").code, kExitOk);
  EXPECT_EQ(Sluice("sample wow -n 5 -o - ", "SLUICE_TRACEPARENT=" + std::string(kTraceparent)).code,
            kExitOk);
  EXPECT_EQ(server_.Terminate().code, 0);
  const json made = LineOf("CreateModel");
  EXPECT_EQ(made.value("level", ""), "debug");
  EXPECT_FALSE(made.value("time", "").empty());
  EXPECT_FALSE(made.contains("trace_id"));
  const json line = LineOf("Sample");
  EXPECT_EQ(line.value("message", ""), "Sample models/wow OK");
  EXPECT_EQ(line.value("model", ""), "models/wow");
  EXPECT_EQ(line.value("code", ""), "OK");
  EXPECT_EQ(line.value("rows", 0), 5);
  EXPECT_EQ(line.value("trace_id", ""), kTrace);
  EXPECT_EQ(line.value("parent_span_id", ""), "00f067aa0ba902b7");
  EXPECT_EQ(line.value("request_id", "").size(), 13u);
  for (const char* time : {"ms", "queue_ms", "compute_ms"}) {
    EXPECT_TRUE(line.contains(time) && line.at(time).is_number()) << time << line;
  }
  EXPECT_GE(line.value("ms", 0.0), line.value("compute_ms", 0.0));
}

TEST_F(Observe, ALineOfTextSaysTheSame) {
  ASSERT_TRUE(Start({"--log-level", "debug"})) << server_.Log();
  EXPECT_EQ(Sluice("model get none", "TRACEPARENT=" + std::string(kTraceparent)).code, kExitError);
  EXPECT_EQ(server_.Terminate().code, 0);
  EXPECT_THAT(server_.Log(),
              AllOf(HasSubstr("GetModel models/none NOT_FOUND rows=0 ms="), HasSubstr(" queue_ms="),
                    HasSubstr(" compute_ms="), HasSubstr(" request_id="),
                    HasSubstr(std::string(" trace_id=") + kTrace)));
}

// Control characters of a caller's end no line of the log.
TEST_F(Observe, NamesThatCallersMakeUpStayOnTheirLine) {
  ASSERT_TRUE(Start({"--log-level", "debug"})) << server_.Log();
  EXPECT_EQ(Sluice("model get \"$(printf 'a\\nFAKE line')\"").code, kExitError);
  EXPECT_EQ(server_.Terminate().code, 0);
  EXPECT_THAT(server_.Log(), Not(HasSubstr("\nFAKE")));
}

TEST_F(Observe, ATraceparentThatIsNoneIsSaidWhereItIsOurs) {
  ASSERT_TRUE(Start({})) << server_.Log();
  const Ran ours = Sluice("model list", "SLUICE_TRACEPARENT=00-x");
  EXPECT_EQ(ours.code, kExitUsage);
  EXPECT_THAT(ours.err, HasSubstr("SLUICE_TRACEPARENT"));
  EXPECT_EQ(Sluice("model list", "TRACEPARENT=00-x").code, kExitOk);
}

TEST_F(Observe, AnErrorOfTheServerNamesTheRequest) {
  ASSERT_TRUE(Start({"--log-level", "debug", "--rate-limit", "0.01:1"})) << server_.Log();
  EXPECT_EQ(Sluice("model list").code, kExitOk);
  const Ran refused = Sluice("model list");
  EXPECT_EQ(refused.code, kExitError);
  const size_t at = refused.err.find("[request ");
  ASSERT_NE(at, std::string::npos) << refused.err;
  EXPECT_EQ(server_.Terminate().code, 0);
  EXPECT_THAT(server_.Log(), HasSubstr("request_id=" + refused.err.substr(at + 9, 13)));
}

TEST_F(Observe, TopIsATableOnceInAPipe) {
  ASSERT_TRUE(Start({})) << server_.Log();
  EXPECT_EQ(Sluice("model create wow --dim 2").code, kExitOk);
  EXPECT_EQ(Sluice("sample wow -n 5 -o -").code, kExitOk);
  for (const char* arguments : {"top", "top --once"}) {
    const Ran ran = Sluice(arguments);
    EXPECT_EQ(ran.code, kExitOk) << ran.err;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("\nSample "), HasSubstr("METHOD"),
                               HasSubstr("models/wow/versions/0"), Not(HasSubstr("\x1b"))));
  }
}

TEST_F(Observe, TopIsAnObjectForPrograms) {
  ASSERT_TRUE(Start({})) << server_.Log();
  EXPECT_EQ(Sluice("model create wow --dim 2").code, kExitOk);
  const Ran ran = Sluice("top --format json");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  const json statistics = json::parse(ran.out, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(statistics.is_object()) << ran.out;
  EXPECT_EQ(statistics.at("methods").at(0).at("method"), "CreateModel");
  EXPECT_EQ(statistics.at("jobs").at("RUNNING"), 0);
}

TEST_F(Observe, TopWithoutAServerFails) {
  ASSERT_TRUE(Start({})) << server_.Log();
  server_.Kill();
  EXPECT_EQ(Sluice("top --once").code, kExitUnavailable);
  EXPECT_EQ(Sluice("top --interval 0").code, kExitUsage);
}

TEST_F(Observe, TopDrawsAgainUntilTold) {
  ASSERT_TRUE(Start({})) << server_.Log();
  for (const std::string end : {"q", "\x03"}) {
    PseudoTerminal terminal(Top({"--interval", "0.1"}));
    EXPECT_TRUE(terminal.Await("\x1b[?1049h"));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(terminal.Await("queues")) << terminal.seen();
    EXPECT_TRUE(terminal.Await("GetStatistics"));
    terminal.Type("x");  // Means nothing.
    terminal.Type(end);
    EXPECT_EQ(terminal.Wait(), kExitOk);
    EXPECT_THAT(terminal.seen(), ::testing::EndsWith("\x1b[?25h\x1b[?1049l"));
  }
}

TEST_F(Observe, TopFitsATerminalThatChanges) {
  ASSERT_TRUE(Start({})) << server_.Log();
  PseudoTerminal terminal(Top({"--interval", "3600"}));
  EXPECT_TRUE(terminal.Await("memory"));
  EXPECT_TRUE(terminal.Await("jobs "));
  terminal.Resize(20, 2);
  // Of the second drawing only two lines of twenty columns.
  EXPECT_TRUE(terminal.Await("\x1b[H"));
  EXPECT_TRUE(terminal.Await("calls "));
  const size_t last = terminal.seen().rfind("\x1b[H");
  terminal.Signal(SIGTERM);
  EXPECT_EQ(terminal.Wait(), kExitOk);
  EXPECT_THAT(terminal.seen().substr(last), Not(HasSubstr("memory")));
}

TEST_F(Observe, TopGoesOnWhileTheServerIsAway) {
  ASSERT_TRUE(Start({})) << server_.Log();
  PseudoTerminal terminal(Top({"--interval", "0.1"}));
  EXPECT_TRUE(terminal.Await("queues"));
  server_.Kill();
  EXPECT_TRUE(terminal.Await("as it was: UNAVAILABLE"));
  terminal.Type("q");
  EXPECT_EQ(terminal.Wait(), kExitOk);
}

TEST_F(Observe, MetricsAreServedWhereTheFlagSays) {
  ASSERT_TRUE(Start({"--metrics-listen", "127.0.0.1:0"})) << server_.Log();
  const std::string log = server_.Log(), before = "metrics are on http://127.0.0.1:";
  const size_t at = log.find(before);
  ASSERT_NE(at, std::string::npos) << log;
  const int port = std::stoi(log.substr(at + before.size()));
  EXPECT_EQ(sluice::testing::HttpGet(port, "/readyz").code, 200);
  EXPECT_EQ(server_.Terminate().code, 0);
}

TEST_F(Observe, MetricsOpenToOtherMachinesAreRefused) {
  EXPECT_FALSE(Start({"--metrics-listen", "0.0.0.0:0"}));
  EXPECT_EQ(server_.Wait().code, 1);
  EXPECT_THAT(server_.Log(), AllOf(HasSubstr("--metrics-listen"), HasSubstr("--insecure")));
  EXPECT_FALSE(Start({"--metrics-listen", "9464"}));
  EXPECT_THAT(server_.Log(), HasSubstr("HOST:PORT"));
}

}  // namespace
}  // namespace sluice::cli
