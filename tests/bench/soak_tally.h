// SoakTally: what came of the calls of a soak.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "sluice/result.h"

namespace sluice::testing {

// Thread-safe.
class SoakTally {
 public:
  // A call of a well-behaved caller; codes in `meant` are no defects beside OK. Returns
  // whether it was OK.
  bool Good(const char* what, const Status& status, std::initializer_list<Code> meant = {});
  // A malformed call that ended with gRPC's code.
  void Malformed(const std::string& method, int code, bool intended);

  int64_t calls() const;
  int64_t malformed() const;
  std::string Codes() const;  // "OK 12, NOT_FOUND 3"
  int64_t unintended() const;
  std::vector<std::string> Unintended() const;  // The first few.

 private:
  void CountLocked(int code, bool intended, const std::string& what);

  mutable std::mutex mu_;
  int64_t calls_ = 0, malformed_ = 0, unintended_ = 0;
  std::map<int, int64_t> by_code_;
  std::vector<std::string> shown_;
};

}  // namespace sluice::testing
