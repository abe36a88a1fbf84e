#include "server/rpc/names.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"

namespace sluiced::rpc {
namespace {

constexpr size_t kMaxQuoted = 80;
constexpr size_t kMaxName = 256;  // More than any legal name has.

absl::Status NoName(absl::string_view field, absl::string_view name, absl::string_view form) {
  return FieldError(field, absl::StrCat("'", absl::CHexEscape(name.substr(0, kMaxQuoted)),
                                        "' is not of the form ", form));
}

// The parts between slashes; none for what is too long to be a name.
std::vector<absl::string_view> Parts(absl::string_view name) {
  if (name.size() > kMaxName) return {};
  return absl::StrSplit(name, '/');
}

}  // namespace

std::string MakeName(absl::string_view collection, absl::string_view id) {
  return absl::StrCat(collection, "/", id);
}

absl::StatusOr<std::string> ParseName(absl::string_view field, absl::string_view collection,
                                      absl::string_view name) {
  const auto parts = Parts(name);
  if (parts.size() != 2 || parts[0] != collection) {
    return NoName(field, name, absl::StrCat(collection, "/{id}"));
  }
  RETURN_IF_ERROR(CheckId(field, parts[1]));
  return std::string(parts[1]);
}

}  // namespace sluiced::rpc
