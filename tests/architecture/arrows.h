// The arrows between the parts: which file may include what.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sluice_architecture {

struct Include {
  std::string file;    // From the repository's root: "server/rpc/encode.cc".
  std::string header;  // As written, without its brackets: "server/flows/flow.h".
};

// Every #include line of the .h and .cc files below `root`/server and
// `root`/client.
std::vector<Include> ReadIncludes(const std::filesystem::path& root);

// What is wrong with it; nullopt where the arrow points the right way.
std::optional<std::string> Complaint(const Include& include);

}  // namespace sluice_architecture
