#include "client/cli/plot/gif_writer.h"

#include <gif_lib.h>

#include <array>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "client/cli/plot/color.h"
#include "client/cli/plot/colormap.h"

namespace sluice::plot {
namespace {

constexpr int kPalette = 256;
constexpr int kGreys = 32;
constexpr int kTints = 12;  // Of each accent.

GifColorType ToGif(const Color& color) {
  const auto byte = [](double c) { return static_cast<GifByteType>(std::lround(c * 255)); };
  return {byte(color.r), byte(color.g), byte(color.b)};
}

Color Mix(const Color& a, const Color& b, double t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

std::array<GifColorType, kPalette> MakePalette() {
  std::array<GifColorType, kPalette> palette;
  int at = 0;
  for (int i = 0; i < kGreys; ++i) palette[at++] = ToGif(Mix(kInk, kWhite, i / (kGreys - 1.0)));
  for (const Color& accent : {kBlue, kOrange}) {
    for (int i = 0; i < kTints; ++i) palette[at++] = ToGif(Mix(accent, kWhite, i / double{kTints}));
  }
  const int rest = kPalette - at;
  for (int i = 0; i < rest; ++i) palette[at++] = ToGif(Viridis(i / (rest - 1.0)));
  return palette;
}

Status GifFailure(int error) {
  const char* text = GifErrorString(error);
  return Failure(Code::kInternal,
                 std::string("the GIF cannot be written: ") + (text != nullptr ? text : "?"));
}

}  // namespace

struct GifWriter::State {
  int width = 0, height = 0;
  std::string bytes;
  GifFileType* file = nullptr;
  int error = 0;
  std::array<GifColorType, kPalette> palette = MakePalette();
  std::unordered_map<uint32_t, GifByteType> nearest;

  GifByteType Nearest(uint32_t pixel) {
    const auto [entry, fresh] = nearest.try_emplace(pixel, 0);
    if (!fresh) return entry->second;
    int best = 1 << 30;
    for (int i = 0; i < kPalette; ++i) {
      const int red = static_cast<int>(pixel >> 16 & 255) - palette[i].Red;
      const int green = static_cast<int>(pixel >> 8 & 255) - palette[i].Green;
      const int blue = static_cast<int>(pixel & 255) - palette[i].Blue;
      // Weights of about what the eye sees of each.
      const int distance = 2 * red * red + 4 * green * green + 3 * blue * blue;
      if (distance >= best) continue;
      best = distance;
      entry->second = static_cast<GifByteType>(i);
    }
    return entry->second;
  }

  bool Open() {
    const auto write = [](GifFileType* gif, const GifByteType* data, int length) {
      static_cast<std::string*>(gif->UserData)
          ->append(reinterpret_cast<const char*>(data), static_cast<size_t>(length));
      return length;
    };
    file = EGifOpen(&bytes, write, &error);
    if (file == nullptr) return false;
    EGifSetGifVersion(file, true);
    ColorMapObject* map = GifMakeMapObject(kPalette, palette.data());
    const bool ok = EGifPutScreenDesc(file, width, height, 8, 0, map) == GIF_OK;
    GifFreeMapObject(map);
    return ok && PutLoop();
  }

  // Netscape's application block: loop without end.
  bool PutLoop() {
    const GifByteType forever[] = {1, 0, 0};
    return EGifPutExtensionLeader(file, APPLICATION_EXT_FUNC_CODE) == GIF_OK &&
           EGifPutExtensionBlock(file, 11, "NETSCAPE2.0") == GIF_OK &&
           EGifPutExtensionBlock(file, 3, forever) == GIF_OK &&
           EGifPutExtensionTrailer(file) == GIF_OK;
  }

  bool PutFrame(const std::vector<uint32_t>& pixels, int hundredths) {
    GraphicsControlBlock control{DISPOSE_DO_NOT, false, hundredths, NO_TRANSPARENT_COLOR};
    GifByteType packed[4];
    EGifGCBToExtension(&control, packed);
    if (EGifPutExtension(file, GRAPHICS_EXT_FUNC_CODE, 4, packed) != GIF_OK) return false;
    if (EGifPutImageDesc(file, 0, 0, width, height, false, nullptr) != GIF_OK) return false;
    std::vector<GifByteType> line(static_cast<size_t>(width));
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) line[x] = Nearest(pixels[static_cast<size_t>(y) * width + x]);
      if (EGifPutLine(file, line.data(), width) != GIF_OK) return false;
    }
    return true;
  }
};

GifWriter::GifWriter(int width, int height) : state_(std::make_unique<State>()) {
  state_->width = width;
  state_->height = height;
}

GifWriter::~GifWriter() {
  if (state_->file != nullptr) EGifCloseFile(state_->file, &state_->error);
}

Status GifWriter::AddFrame(const std::vector<uint32_t>& pixels, int hundredths) {
  if (state_->file == nullptr && !state_->Open()) return GifFailure(state_->error);
  if (!state_->PutFrame(pixels, hundredths)) return GifFailure(state_->file->Error);
  return {};
}

Result<std::string> GifWriter::Finish() {
  int error = 0;
  GifFileType* file = std::exchange(state_->file, nullptr);
  if (file == nullptr || EGifCloseFile(file, &error) != GIF_OK) return GifFailure(error);
  return std::move(state_->bytes);
}

}  // namespace sluice::plot
