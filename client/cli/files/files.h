// Whole files in and out, with "-" for stdin and stdout.
#pragma once

#include <string>

#include "sluice/result.h"

namespace sluice::cli {

// INVALID_ARGUMENT, NOT_FOUND and the like in words that name the file.
Status FileError(Code code, const std::string& path, const std::string& what);

Result<std::string> ReadFile(const std::string& path);

// Complete or absent: a regular file is written beside itself and renamed.
// Devices and pipes are written in place.
Status WriteFile(const std::string& path, const std::string& bytes);

// Lower-case ending of the name without the dot: "npy".
std::string Ending(const std::string& path);

}  // namespace sluice::cli
