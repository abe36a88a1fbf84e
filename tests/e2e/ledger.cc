#include "tests/e2e/ledger.h"

#include <utility>

namespace sluice::testing {
namespace {

std::optional<std::string> Find(const Holdings& holdings, const std::string& name) {
  const auto found = holdings.find(name);
  if (found == holdings.end()) return std::nullopt;
  return found->second;
}

}  // namespace

void Ledger::Set(const std::string& name, const std::optional<std::string>& state) {
  if (state) {
    settled_[name] = *state;
  } else {
    settled_.erase(name);
  }
}

void Ledger::Begin(const std::string& name, std::optional<std::string> after) {
  changing_ = name;
  after_ = std::move(after);
}

void Ledger::Acknowledge() {
  Set(*changing_, after_);
  changing_.reset();
}

std::vector<std::string> Ledger::Compare(const Holdings& held) {
  if (changing_ && Find(held, *changing_) == after_) Set(*changing_, after_);
  changing_.reset();
  std::vector<std::string> wrong;
  Holdings all = settled_;
  all.insert(held.begin(), held.end());
  for (const auto& [name, ignored] : all) {
    const auto expected = Find(settled_, name), actual = Find(held, name);
    if (expected == actual) continue;
    wrong.push_back(name + " is " + actual.value_or("absent") + ", was acknowledged as " +
                    expected.value_or("absent"));
  }
  settled_ = held;
  return wrong;
}

std::vector<std::string> Ledger::Names(const std::string& collection,
                                       const std::string& state) const {
  std::vector<std::string> names;
  for (const auto& [name, now] : settled_) {
    if (name.starts_with(collection) && (state.empty() || now == state)) names.push_back(name);
  }
  return names;
}

}  // namespace sluice::testing
