// The one edge where exceptions of LibTorch become a Status.
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sluiced::flows {

// What compute() returns, a Status or StatusOr. INTERNAL for an exception, or
// RESOURCE_EXHAUSTED where memory ran out; `what` says who failed.
template <typename Compute>
auto CatchTorch(absl::string_view what, Compute&& compute) -> decltype(compute()) {
  auto out_of_memory = [what] {
    return absl::ResourceExhaustedError(absl::StrCat(what, ": out of memory"));
  };
  try {
    return std::forward<Compute>(compute)();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::length_error&) {
    return out_of_memory();
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    // The allocator's own words: it has no type for this.
    if (absl::StrContains(message, "allocate memory")) return out_of_memory();
    return absl::InternalError(absl::StrCat(what, ": ", message));
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat(what, ": ", error.what()));
  }
}

}  // namespace sluiced::flows
