// Backup: a consistent copy of a store, made and handed over in pieces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace sluiced::store {

// Used by one thread at a time. Deleting it leaves nothing of it behind; the store
// may be gone by then.
class Backup {
 public:
  virtual ~Backup() = default;

  struct Part {
    std::string bytes;  // Of the file that a restore takes. Empty while it is being made.
    int64_t done = 0;   // Bytes of `total` that are copied, or handed over with this part.
    int64_t total = 0;
  };
  // Blocks for some milliseconds. First parts without bytes, then all of the bytes in
  // order, then nullopt. After an error it is of no use. RESOURCE_EXHAUSTED when
  // the disk is full.
  virtual absl::StatusOr<std::optional<Part>> Next() = 0;
};

}  // namespace sluiced::store
