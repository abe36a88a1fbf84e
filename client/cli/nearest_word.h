// The word that was meant, for a command that nobody knows.
#pragma once

#include <string>
#include <vector>

namespace sluice::cli {

// The one of `words` that the fewest typing slips part from `typed` (letters added,
// left out, replaced or swapped); empty where all are further away than that helps.
std::string NearestWord(const std::string& typed, const std::vector<std::string>& words);

}  // namespace sluice::cli
