// Command lines run against a real server.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/cli/ran.h"
#include "tests/support/server_process.h"

namespace sluice::cli {

// One server for all tests; each test uses names of its own. There are a dataset
// `wow` and a model `wow`, trained for 4 epochs by the job `first`.
class Commands : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  static std::string File(const std::string& name) { return directory_->path() + "/" + name; }

  // `arguments` in a shell, in the test's directory, with nothing on stdin unless piped.
  static Ran Sluice(const std::string& arguments, const std::string& before = "true");
  static void ExpectOk(const std::string& arguments);
  // Runs a command until its stdout holds `text`; false after many tries.
  static bool AwaitOutput(const std::string& arguments, const std::string& text);
  static void ExpectStartsWith(const std::string& file, const std::string& magic);

  static sluice::testing::TempDir* directory_;
  static sluice::testing::ServerProcess* server_;
};

// One command that runs beside the test. The destructor kills it.
class Background {
 public:
  // What it says goes into the file `err`; its stdout is dropped.
  Background(const std::vector<std::string>& arguments, std::string err);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Until its stderr holds `text`; false when it has ended without, or after long.
  bool AwaitErr(const std::string& text);
  std::string Err() const;
  void Signal(int signal) const;
  int Wait();  // Its exit code.
  // The most memory it held; once it has ended.
  int64_t peak_kilobytes() const { return peak_kilobytes_; }

 private:
  void Reap(int status, int64_t peak_kilobytes);

  const std::string err_;
  pid_t pid_ = -1;
  int code_ = -1;
  int64_t peak_kilobytes_ = 0;
};

}  // namespace sluice::cli
