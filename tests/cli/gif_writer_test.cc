#include "client/cli/plot/gif_writer.h"

#include <gif_lib.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace sluice::plot {
namespace {

struct Reader {
  std::string bytes;
  size_t at = 0;
};

int ReadBytes(GifFileType* gif, GifByteType* to, int length) {
  auto* reader = static_cast<Reader*>(gif->UserData);
  const size_t count = std::min(static_cast<size_t>(length), reader->bytes.size() - reader->at);
  std::memcpy(to, reader->bytes.data() + reader->at, count);
  reader->at += count;
  return static_cast<int>(count);
}

std::vector<uint32_t> Flat(uint32_t color) { return std::vector<uint32_t>(30 * 20, color); }

TEST(GifWriter, WritesWhatAnotherReaderReads) {
  GifWriter writer(30, 20);
  const std::vector<uint32_t> colors = {0xffffff, 0x440154, 0xfde725, 0x212126};
  for (const uint32_t color : colors) ASSERT_TRUE(writer.AddFrame(Flat(color), 12).ok());
  Result<std::string> file = writer.Finish();
  ASSERT_TRUE(file.ok());
  EXPECT_NE(file->find("NETSCAPE2.0"), std::string::npos);

  Reader reader{*file};
  int error = 0;
  GifFileType* gif = DGifOpen(&reader, ReadBytes, &error);
  ASSERT_NE(gif, nullptr);
  ASSERT_EQ(DGifSlurp(gif), GIF_OK);
  EXPECT_EQ(gif->SWidth, 30);
  ASSERT_EQ(gif->ImageCount, 4);
  for (int i = 0; i < 4; ++i) {
    const GifColorType seen = gif->SColorMap->Colors[gif->SavedImages[i].RasterBits[0]];
    const uint32_t meant = colors[static_cast<size_t>(i)];
    EXPECT_NEAR(seen.Red, meant >> 16 & 255, 12) << i;
    EXPECT_NEAR(seen.Green, meant >> 8 & 255, 12) << i;
    EXPECT_NEAR(seen.Blue, meant & 255, 12) << i;
    GraphicsControlBlock control;
    EXPECT_EQ(DGifSavedExtensionToGCB(gif, i, &control), GIF_OK);
    EXPECT_EQ(control.DelayTime, 12);
  }
  DGifCloseFile(gif, &error);
}

TEST(GifWriter, WithoutAFrameIsAnError) {
  GifWriter writer(30, 20);
  EXPECT_FALSE(writer.Finish().ok());
}

}  // namespace
}  // namespace sluice::plot
