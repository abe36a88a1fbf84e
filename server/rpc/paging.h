// Pages of listings, as google.aip.dev/158 has them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/records.h"

namespace sluiced::rpc {

// page_size 0: 100; more than 1000: 1000; negative: INVALID_ARGUMENT. The token is
// the id of the last item of the page before.
absl::StatusOr<store::Page> DecodePage(int32_t page_size, absl::string_view page_token);

// The same for versions, whose token is a number; -1 with none.
struct NumberedPage {
  int64_t limit;
  int64_t after;
};
absl::StatusOr<NumberedPage> DecodeNumberedPage(int32_t page_size, absl::string_view page_token);

// A page is fetched with one item too many, which shows whether there are more:
// drops that, and returns whether it was there.
template <typename Item>
bool DropSurplus(int64_t limit, std::vector<Item>* items) {
  if (static_cast<int64_t>(items->size()) <= limit) return false;
  items->resize(static_cast<size_t>(limit));
  return true;
}

}  // namespace sluiced::rpc
