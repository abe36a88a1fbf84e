#include "server/rpc/paging.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"

namespace sluiced::rpc {
namespace {

constexpr int64_t kDefaultSize = 100;
constexpr int64_t kMaxSize = 1000;

absl::StatusOr<int64_t> DecodeSize(int32_t page_size) {
  if (page_size < 0) return FieldError("page_size", "must not be negative");
  if (page_size == 0) return kDefaultSize;
  return std::min<int64_t>(page_size, kMaxSize);
}

}  // namespace

absl::StatusOr<store::Page> DecodePage(int32_t page_size, absl::string_view page_token) {
  ASSIGN_OR_RETURN(const int64_t limit, DecodeSize(page_size));
  if (!page_token.empty() && !CheckId("page_token", page_token).ok()) {
    return FieldError("page_token", "is none that a listing gave");
  }
  return store::Page{.limit = limit, .after = std::string(page_token)};
}

absl::StatusOr<NumberedPage> DecodeNumberedPage(int32_t page_size, absl::string_view page_token) {
  ASSIGN_OR_RETURN(const int64_t limit, DecodeSize(page_size));
  NumberedPage page{.limit = limit, .after = -1};
  const bool none = page_token.empty();
  if (!none && (!absl::SimpleAtoi(page_token, &page.after) || page.after < 0)) {
    return FieldError("page_token", "is none that a listing gave");
  }
  return page;
}

}  // namespace sluiced::rpc
