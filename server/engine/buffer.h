// Buffer: numbers on an aligned address. Private to the engine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace sluiced::engine {

inline constexpr size_t kAlignment = 128;

// Zero at first. Move-only.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size)
      : data_(static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{kAlignment}))),
        size_(size) {
    std::fill_n(data_.get(), size, T{0});
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(T* data) const { ::operator delete (data, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

}  // namespace sluiced::engine
