// Where exceptions that nobody throws by intent become a Status.
#pragma once

#include <exception>
#include <new>

#include "absl/status/status.h"

namespace sluiced {

// What handle() returns, a Status or StatusOr; RESOURCE_EXHAUSTED or INTERNAL for an
// exception: the allocation of a large array may throw.
template <typename Handle>
auto CatchAll(Handle&& handle) -> decltype(handle()) {
  try {
    return handle();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory");
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace sluiced
