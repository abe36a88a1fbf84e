// Workspace: the memory that one thread computes in.
#pragma once

#include "server/engine/buffer.h"

namespace sluiced::engine {

// One a thread; serves every plan of its type, one call at a time. Grows to what the
// largest flow it met needs, a tile's activations, and never shrinks.
template <typename T>
class Workspace {
 public:
  // At least `size` numbers, of any value.
  T* Take(size_t size) {
    if (size > buffer_.size()) buffer_ = Buffer<T>(size);
    return buffer_.data();
  }

 private:
  Buffer<T> buffer_;
};

}  // namespace sluiced::engine
