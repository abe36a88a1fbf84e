// The safetensors file format: named arrays and string metadata in one file.
// https://github.com/huggingface/safetensors (format section of the README).
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/common/array.h"

namespace sluiced {

struct SafetensorsFile {
  std::map<std::string, Array> tensors;  // F32 and F64.
  std::map<std::string, std::string> metadata;
};

// The same content gives the same bytes.
std::string EncodeSafetensors(const SafetensorsFile& file);

// INVALID_ARGUMENT, saying what and where, for anything malformed: lengths that
// exceed the file, offsets that overlap or leave gaps, sizes that do not match
// shapes, dtypes other than F32 and F64. Never reads out of bounds, never
// allocates more than a small multiple of the input's size.
absl::StatusOr<SafetensorsFile> DecodeSafetensors(absl::string_view bytes);

}  // namespace sluiced
