// What strangers' bytes go through, for libFuzzer and for the replay of its corpus. Each
// ends the process where a decoder breaks its word.
#pragma once

#include <string_view>

namespace sluiced::fuzz {

struct Decoder {
  const char* name;  // Of its corpus: tests/fuzz/corpus/NAME.
  void (*run)(std::string_view bytes);
};

inline constexpr int kDecoders = 4;
const Decoder* AllDecoders();  // kDecoders of them.

}  // namespace sluiced::fuzz
