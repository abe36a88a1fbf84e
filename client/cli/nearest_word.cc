#include "client/cli/nearest_word.h"

#include <algorithm>
#include <cstddef>

namespace sluice::cli {
namespace {

constexpr size_t kLongestWord = 40;

// The optimal string alignment distance.
size_t Slips(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> least(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        least[i][j] = i + j;
        continue;
      }
      least[i][j] = std::min(
          {least[i - 1][j] + 1, least[i][j - 1] + 1, least[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) least[i][j] = std::min(least[i][j], least[i - 2][j - 2] + 1);
    }
  }
  return least[a.size()][b.size()];
}

}  // namespace

std::string NearestWord(const std::string& typed, const std::vector<std::string>& words) {
  if (typed.size() > kLongestWord) return "";
  std::string nearest;
  size_t least = std::min<size_t>(3, (typed.size() + 1) / 2);
  for (const std::string& word : words) {
    const size_t slips = Slips(typed, word);
    if (slips >= least) continue;
    least = slips;
    nearest = word;
  }
  return nearest;
}

}  // namespace sluice::cli
