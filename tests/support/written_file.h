// WriteText: files that tests write, the whole of them at once.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace sluice::testing {

// Complete or absent for whoever reads it meanwhile.
inline void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new", std::ios::binary) << text;
  std::filesystem::rename(path + ".new", path);
}

}  // namespace sluice::testing
