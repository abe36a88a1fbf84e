// Scope: what a token may be used for.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluiced::access {

enum class Scope : uint8_t {
  kAny,    // A call that every known caller may make. No token has it by name.
  kInfer,  // Computing with models.
  kTrain,  // Making and changing models, datasets and train jobs, and taking them away.
  kAdmin,  // Deleting; and all that the others may.
};

// "infer"; "any" for kAny.
absl::string_view NameOf(Scope scope);

// A set of scopes. Regular value type.
class Scopes {
 public:
  // "infer,train": one or more names, without spaces.
  static absl::StatusOr<Scopes> Parse(absl::string_view text);
  static Scopes All() { return Scopes(Bit(Scope::kAdmin)); }

  bool Allow(Scope needed) const {
    return needed == Scope::kAny || (bits_ & (Bit(needed) | Bit(Scope::kAdmin))) != 0;
  }
  bool operator==(const Scopes&) const = default;

 private:
  explicit Scopes(uint8_t bits) : bits_(bits) {}
  static constexpr uint8_t Bit(Scope scope) {
    return static_cast<uint8_t>(1U << static_cast<uint8_t>(scope));
  }

  uint8_t bits_;
};

}  // namespace sluiced::access
