// PseudoTerminal: a program on a terminal of the test's own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace sluice::testing {

// One program at a time, on 80 columns and 24 rows. The destructor kills it. Throws where
// the system refuses.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(const std::vector<std::string>& command);
  ~PseudoTerminal();
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  // Until what was drawn since the last call holds `text`; false at its end, or after long.
  bool Await(const std::string& text);
  const std::string& seen() const { return seen_; }  // All that was drawn.
  void Type(const std::string& keys) const;
  void Resize(int columns, int rows) const;
  void Signal(int signal) const;
  // Its exit code, or minus the signal that ended it: SIGKILL after long. What it still draws is
  // read first.
  int Wait();

 private:
  // False at the end, or after long.
  bool ReadMore();

  int terminal_ = -1;
  pid_t pid_ = -1;
  std::string seen_;
  size_t looked_at_ = 0;
};

}  // namespace sluice::testing
