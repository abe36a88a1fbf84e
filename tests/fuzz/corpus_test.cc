// What the fuzzers know and found, through the decoders again: with any compiler.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gtest/gtest.h"
#include "tests/fuzz/decoders.h"

namespace sluiced::fuzz {
namespace {

// Every file whole, cut short at every 7th byte, and with every 7th byte flipped.
void Replay(const Decoder& decoder, const std::string& bytes) {
  decoder.run(bytes);
  for (size_t at = 0; at < bytes.size() && at < 2000; at += 7) {
    decoder.run(std::string_view(bytes).substr(0, at));
    std::string flipped = bytes;
    flipped[at] ^= static_cast<char>(1 << (at % 8));
    decoder.run(flipped);
  }
}

TEST(FuzzCorpus, EveryDecoderKeepsItsWord) {
  for (int i = 0; i < kDecoders; ++i) {
    const Decoder& decoder = AllDecoders()[i];
    int files = 0;
    const std::string corpus = std::string(SLUICE_FUZZ_CORPUS "/") + decoder.name;
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
      SCOPED_TRACE(entry.path());
      std::ifstream file(entry.path(), std::ios::binary);
      Replay(decoder, {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
      ++files;
    }
    EXPECT_GT(files, 0) << corpus;
  }
}

}  // namespace
}  // namespace sluiced::fuzz
