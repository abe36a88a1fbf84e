// Tokens and TLS as people use them: made by `sluice token`, taken by `sluiced`, in
// files and the environment, and never seen in a log or a list of processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "client/cli/exit_code.h"
#include "client/cli/files/files.h"
#include "tests/cli/ran.h"
#include "tests/support/certificates.h"
#include "tests/support/server_process.h"
#include "tests/support/written_file.h"

namespace sluice::cli {
namespace {

using sluice::testing::WriteText;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class Access : public ::testing::Test {
 protected:
  std::string File(const std::string& name) const { return directory_.path() + "/" + name; }
  std::string Text(const std::string& name) const { return *ReadFile(File(name)); }

  // In the test's directory; `environment` as "NAME=value ".
  Ran Sluice(const std::string& arguments, const std::string& environment = "") const {
    const std::string server = server_.running() ? "SLUICE_SERVER=" + server_.address() + " " : "";
    return RunIn(directory_.path(), "env -u SLUICE_TOKEN " + server + environment +
                                        " " SLUICE_BIN_DIR "/sluice " + arguments + " </dev/null");
  }

  bool Start(const std::vector<std::string>& flags) {
    return server_.Start({.data_dir = File("data"), .flags = flags});
  }

  const sluice::testing::TempDir directory_;
  sluice::testing::ServerProcess server_;
};

TEST_F(Access, ATokenIsPrintedOnceWithTheLineForTheServer) {
  const Ran ran = Sluice("token new alice --scopes infer,train");
  EXPECT_EQ(ran.code, kExitOk) << ran.err;
  EXPECT_THAT(ran.out, MatchesRegex("sluice_[0-9a-f]{64}\n"));
  EXPECT_THAT(ran.err, MatchesRegex("(.|\n)*\nalice infer,train sha256:[0-9a-f]{64}\n"));
  EXPECT_THAT(ran.err, Not(HasSubstr(ran.out.substr(7, 64))));
  EXPECT_NE(Sluice("token new alice --scopes infer").out, ran.out);
}

TEST_F(Access, ATokenInAFileIsItsOwnersAlone) {
  WriteText(File("tokens"), "# by hand, without an end");
  EXPECT_EQ(Sluice("token new a --scopes infer --add tokens -o a.token").code, kExitOk);
  EXPECT_EQ(Sluice("token new b --scopes admin --add tokens -o b.token").code, kExitOk);
  EXPECT_THAT(Text("tokens"), MatchesRegex("# by hand, without an end\na infer sha256:[0-9a-f]+\n"
                                           "b admin sha256:[0-9a-f]+\n"));
  struct stat status;
  ASSERT_EQ(stat(File("a.token").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const Ran again = Sluice("token new a --scopes infer --add tokens -o a.token");
  EXPECT_EQ(again.code, kExitError);  // A token is not written over.
  EXPECT_THAT(again.err, HasSubstr("a.token"));
}

TEST_F(Access, NamesAndScopesThatTheServerWouldRefuseAreRefused) {
  for (const char* arguments :
       {"'a b' --scopes infer", "'' --scopes infer", "a --scopes root", "a --scopes infer,",
        "a --scopes ''", "a", "--scopes infer", "a/b --scopes infer", "é --scopes infer"}) {
    EXPECT_EQ(Sluice(std::string("token new ") + arguments).code, kExitUsage) << arguments;
  }
}

TEST_F(Access, CallersShowTheirTokensAndNoLogShowsThem) {
  ASSERT_EQ(Sluice("token new alice --scopes infer,train --add tokens -o alice.token").code,
            kExitOk);
  ASSERT_EQ(Sluice("token new bob --scopes infer --add tokens -o bob.token").code, kExitOk);
  ASSERT_TRUE(Start({"--token-file", File("tokens"), "--log-level", "trace"})) << server_.Log();
  EXPECT_EQ(Sluice("health").code, kExitOk);

  const Ran nobody = Sluice("model list");
  EXPECT_EQ(nobody.code, kExitError);
  EXPECT_THAT(nobody.err, AllOf(HasSubstr("UNAUTHENTICATED"), HasSubstr("SLUICE_TOKEN")));
  EXPECT_EQ(Sluice("model list --token-file alice.token").code, kExitOk);
  EXPECT_EQ(Sluice("model list", "SLUICE_TOKEN=$(cat bob.token)").code, kExitOk);
  EXPECT_EQ(Sluice("model create wow --dim 2 --token-file alice.token").code, kExitOk);
  const Ran denied = Sluice("model create wow2 --dim 2 --token-file bob.token");
  EXPECT_EQ(denied.code, kExitError);
  EXPECT_THAT(denied.err, AllOf(HasSubstr("PERMISSION_DENIED"), HasSubstr("train")));
  // With a connection of its own, and the same token.
  EXPECT_EQ(
      Sluice("bench wow --concurrency 2 --window 0.02 --duration 0.06 --token-file bob.token").code,
      kExitOk);
  // What --token-file names goes before the environment.
  EXPECT_EQ(Sluice("model list --token-file bob.token", "SLUICE_TOKEN=wrong").code, kExitOk);
  EXPECT_EQ(Sluice("model list", "SLUICE_TOKEN=wrong").code, kExitError);

  EXPECT_EQ(server_.Terminate().code, 0);
  const std::string log = server_.Log();
  EXPECT_THAT(log, HasSubstr("PERMISSION_DENIED caller=bob"));
  EXPECT_THAT(log, AllOf(HasSubstr("CreateModel"), HasSubstr("caller=alice"),
                         HasSubstr("caller=bob"), HasSubstr("2 tokens")));
  for (const char* file : {"alice.token", "bob.token"}) {
    EXPECT_THAT(log, Not(HasSubstr(Text(file).substr(7, 64))));
  }
}

TEST_F(Access, TokenFilesThatHoldNoneAreSaidClearly) {
  ASSERT_TRUE(Start({})) << server_.Log();
  WriteText(File("empty"), "");
  WriteText(File("two"), "sluice_a\nsluice_b\n");
  EXPECT_EQ(Sluice("model list --token-file missing").code, kExitError);
  EXPECT_THAT(Sluice("model list --token-file empty").err, HasSubstr("empty"));
  const Ran two = Sluice("model list --token-file two");
  EXPECT_EQ(two.code, kExitError);
  EXPECT_THAT(two.err, AllOf(HasSubstr("token"), Not(HasSubstr("sluice_a"))));
}

TEST_F(Access, MutualTlsFromTheCommandLine) {
  const sluice::testing::Authority authority("an authority");
  const auto server = authority.Issue("server");
  const auto alice = authority.Issue("alice");
  WriteText(File("ca.pem"), authority.certificate());
  WriteText(File("cert.pem"), server.certificate);
  WriteText(File("key.pem"), server.key);
  WriteText(File("alice.pem"), alice.certificate);
  WriteText(File("alice.key"), alice.key);
  ASSERT_TRUE(Start({"--tls-cert", File("cert.pem"), "--tls-key", File("key.pem"),
                     "--tls-client-ca", File("ca.pem"), "--log-level", "debug"}))
      << server_.Log();
  const std::string own = " --tls-cert alice.pem --tls-key alice.key";
  EXPECT_EQ(Sluice("model list --tls-ca ca.pem" + own).code, kExitOk);
  EXPECT_EQ(Sluice("model list",
                   "SLUICE_TLS_CA=ca.pem SLUICE_CLIENT_CERT=alice.pem "
                   "SLUICE_CLIENT_KEY=alice.key")
                .code,
            kExitOk);
  EXPECT_EQ(Sluice("model list --tls-ca ca.pem").code, kExitUnavailable);
  EXPECT_EQ(Sluice("model list --tls" + own).code, kExitUnavailable);  // Not of the system's.
  const Ran plain = Sluice("model list");
  EXPECT_EQ(plain.code, kExitUnavailable);
  EXPECT_THAT(plain.err, HasSubstr("--tls-ca"));
  EXPECT_THAT(server_.Log(), HasSubstr("caller=alice"));
}

TEST_F(Access, AServerThatOthersReachIsRefusedWithoutTls) {
  EXPECT_FALSE(server_.Start({.data_dir = File("data"), .host = "0.0.0.0"}));
  EXPECT_EQ(server_.Wait().code, 1);
  EXPECT_THAT(server_.Log(),
              AllOf(HasSubstr("0.0.0.0:0"), HasSubstr("--tls-cert"), HasSubstr("--insecure")));
  EXPECT_TRUE(server_.Start({.data_dir = File("data"), .host = "0.0.0.0", .flags = {"--insecure"}}))
      << server_.Log();
  EXPECT_EQ(Sluice("health").code, kExitOk);
  EXPECT_THAT(server_.Log(), HasSubstr("--insecure: "));
}

TEST_F(Access, AServerWhoseFilesAreBrokenDoesNotStart) {
  WriteText(File("tokens"), "alice infer sluice_5ec2e7\n");
  EXPECT_FALSE(Start({"--token-file", File("tokens")}));
  EXPECT_THAT(server_.Log(),
              AllOf(HasSubstr("--token-file"), HasSubstr("line 1"), Not(HasSubstr("5ec2e7"))));
  EXPECT_FALSE(Start({"--tls-cert", File("tokens"), "--tls-key", File("tokens")}));
  EXPECT_THAT(server_.Log(), AllOf(HasSubstr("--tls-cert"), HasSubstr("no PEM certificate")));
  EXPECT_FALSE(Start({"--rate-limit", "often"}));
  EXPECT_THAT(server_.Log(), HasSubstr("--rate-limit"));
}

// The environment's token is not printed as a default.
TEST_F(Access, HelpShowsNoToken) {
  const Ran ran = Sluice("--help", "SLUICE_TOKEN=5ec2e7");
  EXPECT_EQ(ran.code, kExitOk);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("--token-file"), Not(HasSubstr("5ec2e7"))));
}

}  // namespace
}  // namespace sluice::cli
