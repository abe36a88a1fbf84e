// GifWriter: frames into an animated GIF that loops for ever.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/result.h"

namespace sluice::plot {

// All frames share one palette: viridis, greys for text, and the accents of color.h
// on white. One thread.
class GifWriter {
 public:
  GifWriter(int width, int height);
  ~GifWriter();

  // `pixels`: width * height of 0xRRGGBB. Shown for `hundredths` of a second.
  Status AddFrame(const std::vector<uint32_t>& pixels, int hundredths);
  // The file. No frame can be added afterwards.
  Result<std::string> Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::plot
