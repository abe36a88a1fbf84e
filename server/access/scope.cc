#include "server/access/scope.h"

#include "absl/strings/str_split.h"

namespace sluiced::access {
namespace {

constexpr Scope kGiven[] = {Scope::kInfer, Scope::kTrain, Scope::kAdmin};

}  // namespace

absl::string_view NameOf(Scope scope) {
  switch (scope) {
    case Scope::kAny:
      return "any";
    case Scope::kInfer:
      return "infer";
    case Scope::kTrain:
      return "train";
    case Scope::kAdmin:
      return "admin";
  }
  return "unknown";
}

absl::StatusOr<Scopes> Scopes::Parse(absl::string_view text) {
  uint8_t bits = 0;
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    uint8_t bit = 0;
    for (const Scope scope : kGiven) {
      if (name == NameOf(scope)) bit = Bit(scope);
    }
    if (bit == 0) return absl::InvalidArgumentError("the scopes are infer, train and admin");
    bits |= bit;
  }
  return Scopes(bits);
}

}  // namespace sluiced::access
