#include "server/access/tls_files.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/access/pem.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_dir.h"
#include "tests/support/written_file.h"

namespace sluiced::access {
namespace {

using sluice::testing::Pem;
using sluice::testing::WriteText;
using ::testing::AllOf;
using ::testing::HasSubstr;

class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() {
    Write(authority_.Issue("server"));
    WriteText(paths_.client_ca, authority_.certificate());
  }
  void Write(const Pem& pem) {
    WriteText(paths_.certificate, pem.certificate);
    WriteText(paths_.key, pem.key);
  }
  // As many polls as a change needs.
  static void PollTwice(TlsFiles& files) {
    files.Poll();
    files.Poll();
  }
  // What Open says is wrong.
  std::string Complaint() const {
    const auto files = TlsFiles::Open(paths_);
    return files.ok() ? "" : std::string(files.status().message());
  }

  const sluice::testing::Authority authority_{"an authority"};
  const sluice::testing::TempDir directory_;
  TlsPaths paths_{.certificate = directory_.path() + "/cert.pem",
                  .key = directory_.path() + "/key.pem",
                  .client_ca = directory_.path() + "/ca.pem"};
};

TEST_F(TlsFilesTest, GoodFilesAreGivenAsTheyAre) {
  const Pem chain = authority_.Issue("server");
  Write({.certificate = "text before\n" + chain.certificate + authority_.certificate(),
         .key = chain.key});
  const auto files = TlsFiles::Open(paths_);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_TRUE((*files)->asks_clients());
  EXPECT_EQ((*files)->texts()->key, chain.key);
  EXPECT_EQ((*files)->texts()->client_ca, authority_.certificate());
}

TEST_F(TlsFilesTest, AMissingOptionIsNamed) {
  const TlsPaths all = paths_;
  paths_.key.clear();
  EXPECT_THAT(Complaint(), HasSubstr("--tls-key is missing"));
  paths_ = {.certificate = "", .key = all.key, .client_ca = ""};
  EXPECT_THAT(Complaint(), HasSubstr("--tls-cert is missing"));
  paths_ = {.certificate = "", .key = "", .client_ca = all.client_ca};
  EXPECT_THAT(Complaint(), HasSubstr("--tls-cert is missing"));
}

TEST_F(TlsFilesTest, WhatCannotBeUsedIsNamedWithItsOption) {
  const Pem pem = authority_.Issue("server");
  const std::string broken = pem.certificate.substr(0, pem.certificate.size() / 2);
  const std::string end = "-----END CERTIFICATE-----\n";
  const struct {
    const char* option;
    const std::string& path;
    std::string text;
    const char* what;
  } table[] = {
      {"--tls-cert", paths_.certificate, "", "no PEM certificate"},
      {"--tls-cert", paths_.certificate, "hello", "no PEM certificate"},
      {"--tls-cert", paths_.certificate, pem.key, "no PEM certificate"},
      {"--tls-cert", paths_.certificate, broken, "cannot be read"},
      {"--tls-cert", paths_.certificate, broken + "\n" + end, "cannot be read"},
      {"--tls-cert", paths_.certificate, pem.certificate + broken, "cannot be read"},
      {"--tls-cert", paths_.certificate, std::string(10 << 20, 'x'), "larger than 1 MiB"},
      {"--tls-key", paths_.key, "", "no PEM private key"},
      {"--tls-key", paths_.key, pem.certificate, "no PEM private key"},
      {"--tls-key", paths_.key, pem.key, "not the key of the certificate in --tls-cert"},
      {"--tls-client-ca", paths_.client_ca, "", "no PEM certificate"},
      {"--tls-client-ca", paths_.client_ca, pem.key, "no PEM certificate"},
  };
  for (const auto& row : table) {
    Write(authority_.Issue("server"));
    WriteText(paths_.client_ca, authority_.certificate());
    WriteText(row.path, row.text);
    EXPECT_THAT(Complaint(), AllOf(HasSubstr(row.option), HasSubstr(row.path), HasSubstr(row.what)))
        << row.text.substr(0, 100);
  }
}

TEST_F(TlsFilesTest, AKeyWithAPasswordIsRefusedAndNobodyAsked) {
  WriteText(paths_.key, sluice::testing::LockedKey("secret"));
  EXPECT_THAT(Complaint(), HasSubstr("without a password"));
}

TEST_F(TlsFilesTest, AFileThatIsNoneIsNamed) {
  std::filesystem::remove(paths_.key);
  EXPECT_THAT(Complaint(), AllOf(HasSubstr("--tls-key"), HasSubstr("No such file")));
  std::filesystem::create_directory(paths_.key);
  EXPECT_THAT(Complaint(), AllOf(HasSubstr("--tls-key"), HasSubstr("not a regular file")));
}

TEST_F(TlsFilesTest, ANewPairIsTakenUpOnceItIsWhole) {
  const auto files = TlsFiles::Open(paths_);
  ASSERT_TRUE(files.ok()) << files.status();
  const auto before = (*files)->texts();
  PollTwice(**files);
  EXPECT_EQ((*files)->texts(), before);

  const Pem renewed = authority_.Issue("server");
  WriteText(paths_.certificate, renewed.certificate);
  PollTwice(**files);
  EXPECT_EQ((*files)->texts(), before);  // The key is still the old one.
  WriteText(paths_.key, renewed.key);
  PollTwice(**files);
  EXPECT_EQ((*files)->texts()->certificate, renewed.certificate);

  std::filesystem::remove(paths_.certificate);
  PollTwice(**files);
  WriteText(paths_.certificate, "rubbish");
  PollTwice(**files);
  EXPECT_EQ((*files)->texts()->certificate, renewed.certificate);
}

TEST(Pem, SaysWhoseACertificateIsAndUntilWhen) {
  const sluice::testing::Authority authority("an authority");
  const Pem pem = authority.Issue("sluice", {.from = -7200, .until = -3600});
  const auto facts = ReadCertificates(pem.certificate);
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_THAT(facts->subject, ::testing::MatchesRegex("CN ?= ?sluice"));
  EXPECT_NEAR(absl::ToDoubleSeconds(absl::Now() - facts->not_after), 3600, 60);
  EXPECT_NEAR(absl::ToDoubleSeconds(absl::Now() - facts->not_before), 7200, 60);
  EXPECT_TRUE(KeyFits(pem.key, pem.certificate));
  EXPECT_FALSE(KeyFits(pem.key, authority.certificate()));
}

}  // namespace
}  // namespace sluiced::access
