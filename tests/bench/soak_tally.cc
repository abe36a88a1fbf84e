#include "tests/bench/soak_tally.h"

#include <algorithm>

namespace sluice::testing {
namespace {

constexpr size_t kShown = 20;

}  // namespace

bool SoakTally::Good(const char* what, const Status& status, std::initializer_list<Code> meant) {
  const bool intended =
      status.ok() || std::find(meant.begin(), meant.end(), status.code) != meant.end();
  const std::lock_guard<std::mutex> lock(mu_);
  CountLocked(static_cast<int>(status.code), intended,
              std::string(what).append(": ").append(status.ToString()));
  return status.ok();
}

void SoakTally::Malformed(const std::string& method, int code, bool intended) {
  const std::lock_guard<std::mutex> lock(mu_);
  ++malformed_;
  CountLocked(code, intended, method + ": code " + std::to_string(code));
}

void SoakTally::CountLocked(int code, bool intended, const std::string& what) {
  ++calls_;
  ++by_code_[code];
  if (intended) return;
  ++unintended_;
  if (shown_.size() < kShown) shown_.push_back(what);
}

int64_t SoakTally::calls() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return calls_;
}

int64_t SoakTally::malformed() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return malformed_;
}

int64_t SoakTally::unintended() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return unintended_;
}

std::string SoakTally::Codes() const {
  const std::lock_guard<std::mutex> lock(mu_);
  std::string text;
  for (const auto& [code, count] : by_code_) {
    if (!text.empty()) text += ", ";
    text += std::string(NameOf(static_cast<Code>(code))) + " " + std::to_string(count);
  }
  return text;
}

std::vector<std::string> SoakTally::Unintended() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return shown_;
}

}  // namespace sluice::testing
