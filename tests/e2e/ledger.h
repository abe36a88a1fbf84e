// Ledger: what a server must hold after it was killed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::testing {

// States by resource name ("models/x-1"), as text; what is absent is not there.
using Holdings = std::map<std::string, std::string>;

// One thread, and one change at a time.
class Ledger {
 public:
  // `after`: nullopt where the change removes the resource.
  void Begin(const std::string& name, std::optional<std::string> after);
  // The server acknowledged it. Without this the change may have happened or not.
  void Acknowledge();

  // What is wrong with what the server holds now; empty when nothing is. It becomes what
  // the ledger holds.
  std::vector<std::string> Compare(const Holdings& held);

  const Holdings& settled() const { return settled_; }
  // Names that begin with `collection`, in this state (any, where it is empty).
  std::vector<std::string> Names(const std::string& collection,
                                 const std::string& state = "") const;

 private:
  void Set(const std::string& name, const std::optional<std::string>& state);

  Holdings settled_;
  std::optional<std::string> changing_;  // Its name.
  std::optional<std::string> after_;
};

}  // namespace sluice::testing
