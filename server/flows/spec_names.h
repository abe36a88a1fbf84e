// Names of a flow spec's choices, as they stand in JSON and on command lines.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/common/errors.h"
#include "server/flows/flow_spec.h"

namespace sluiced::flows {

template <typename Enum>
struct Named {
  Enum value;
  absl::string_view name;
};

// All values of an enum, with their names.
template <typename Enum>
std::span<const Named<Enum>> NamesOf();
template <>
std::span<const Named<Architecture>> NamesOf();
template <>
std::span<const Named<Initialization>> NamesOf();
template <>
std::span<const Named<Executor>> NamesOf();
template <>
std::span<const Named<Mixing>> NamesOf();
template <>
std::span<const Named<Base>> NamesOf();
template <>
std::span<const Named<Support>> NamesOf();

template <typename Enum>
absl::string_view NameIn(Enum value) {
  for (const Named<Enum>& one : NamesOf<Enum>()) {
    if (one.value == value) return one.name;
  }
  return "";
}
inline absl::string_view NameOf(Initialization value) { return NameIn(value); }
inline absl::string_view NameOf(Mixing value) { return NameIn(value); }
inline absl::string_view NameOf(Base value) { return NameIn(value); }
inline absl::string_view NameOf(Support value) { return NameIn(value); }

// INVALID_ARGUMENT that names the field and all that there is.
template <typename Enum>
absl::StatusOr<Enum> FromName(absl::string_view field, absl::string_view name) {
  std::string known;
  for (const Named<Enum>& one : NamesOf<Enum>()) {
    if (one.name == name) return one.value;
    absl::StrAppend(&known, known.empty() ? "" : ", ", one.name);
  }
  return FieldError(field, absl::StrCat("'", absl::CHexEscape(name.substr(0, 80)),
                                        "' is unknown; there are ", known));
}

}  // namespace sluiced::flows
