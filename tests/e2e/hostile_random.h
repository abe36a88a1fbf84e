// Dice: what hostile clients throw; the same seed throws the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>

namespace sluice::testing {

// Not thread-safe.
class Dice {
 public:
  explicit Dice(uint64_t seed) : generator_(seed) {}

  uint64_t Bits() { return generator_(); }
  size_t Below(size_t end) { return static_cast<size_t>(generator_() % end); }  // end > 0
  bool OneIn(size_t times) { return Below(times) == 0; }
  template <typename List>
  const auto& Pick(const List& list) {
    return *(std::begin(list) + static_cast<std::ptrdiff_t>(Below(std::size(list))));
  }

  // Any bytes, fewer than `end`.
  std::string Bytes(size_t end) {
    std::string bytes(Below(end), '\0');
    for (char& c : bytes) c = static_cast<char>(generator_());
    return bytes;
  }

  // Flips, cuts, doubles or adds bytes, at one to three places.
  void Spoil(std::string* bytes) {
    for (size_t left = 1 + Below(3); left > 0; --left) SpoilOnce(bytes);
  }

 private:
  void SpoilOnce(std::string* bytes) {
    const size_t at = Below(bytes->size() + 1);
    switch (Below(5)) {
      case 0:
        bytes->resize(at);
        break;
      case 1:
        bytes->insert(at, Bytes(9));
        break;
      case 2:
        bytes->erase(at, Below(9));
        break;
      case 3:
        bytes->insert(at, bytes->substr(at, Below(65)));
        break;
      default:
        if (at < bytes->size()) (*bytes)[at] ^= static_cast<char>(1 << Below(8));
    }
  }

  std::mt19937_64 generator_;
};

}  // namespace sluice::testing
