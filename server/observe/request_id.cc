#include "server/observe/request_id.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>

#include "absl/strings/ascii.h"

namespace sluiced::observe {
namespace {

constexpr size_t kLongest = 64;

uint64_t RandomBits() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

// One-to-one, so that ids of numbers in a row differ, in all their digits (splitmix64:
// https://doi.org/10.1145/2714064.2660195).
uint64_t Mix(uint64_t number) {
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

}  // namespace

bool IsRequestId(absl::string_view text) {
  return !text.empty() && text.size() <= kLongest &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ||
                  c == '-';
         });
}

std::string NewRequestId() {
  // Without the letters that are taken for digits.
  constexpr char kDigits[] = "0123456789abcdefghjkmnpqrstvwxyz";
  static std::atomic<uint64_t> next = RandomBits();
  uint64_t bits = Mix(next.fetch_add(1, std::memory_order_relaxed));
  std::string id(13, '0');
  for (char& digit : id) {
    digit = kDigits[bits & 31];
    bits >>= 5;
  }
  return id;
}

}  // namespace sluiced::observe
