// SpaceReserve: disk space put aside for the writes that free space.
#pragma once

#include <string>
#include <utility>

namespace sluiced::store {

// On a full disk a deletion needs a little room before it gives any back, and so
// does opening the store: releasing this file provides it. Not thread-safe.
class SpaceReserve {
 public:
  explicit SpaceReserve(std::string path) : path_(std::move(path)) {}

  // All of it or, where the disk has too little left, nothing.
  void Fill();
  // False when there was nothing to release.
  bool Release();

 private:
  const std::string path_;
};

}  // namespace sluiced::store
