// One decoder, SLUICE_FUZZ_DECODER, under libFuzzer.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/decoders.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sluiced::fuzz::AllDecoders()[SLUICE_FUZZ_DECODER].run(
      {reinterpret_cast<const char*>(data), size});
  return 0;
}
