#include "server/common/resource_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/common/errors.h"

namespace sluiced {
namespace {

constexpr size_t kMaxLength = 63;

bool IsAlphanumeric(char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

}  // namespace

absl::Status CheckId(absl::string_view field, absl::string_view id) {
  const bool ok = !id.empty() && id.size() <= kMaxLength && IsAlphanumeric(id.front()) &&
                  IsAlphanumeric(id.back()) &&
                  std::ranges::all_of(id, [](char c) { return IsAlphanumeric(c) || c == '-'; });
  if (ok) return absl::OkStatus();
  return FieldError(field, absl::StrCat("'", absl::CHexEscape(id.substr(0, kMaxLength + 1)),
                                        "' is no id: 1 to 63 of a-z, 0-9 and '-', beginning and "
                                        "ending in a letter or digit"));
}

}  // namespace sluiced
