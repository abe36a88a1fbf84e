#include "client/cli/term/braille_curve.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace sluice::cli {
namespace {

// Bits of the dots of one character, [row][column]: Unicode 15, block U+2800.
constexpr unsigned char kDots[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

std::string Utf8Braille(unsigned char dots) {
  return {'\xe2', static_cast<char>(0xa0 | dots >> 6), static_cast<char>(0x80 | (dots & 0x3f))};
}

// Means of `values` over `count` equal stretches; values between where there are fewer.
std::vector<double> Resample(const std::vector<double>& values, int count) {
  std::vector<double> means;
  const auto size = static_cast<double>(values.size());
  for (int i = 0; i < count; ++i) {
    const auto from = static_cast<size_t>(i * size / count);
    const size_t to = std::max(from + 1, static_cast<size_t>((i + 1) * size / count));
    double sum = 0;
    for (size_t k = from; k < to; ++k) sum += values[k];
    means.push_back(sum / static_cast<double>(to - from));
  }
  return means;
}

}  // namespace

std::vector<std::string> BrailleCurve(const std::vector<double>& values, int columns, int rows) {
  std::vector<double> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
               [](double value) { return std::isfinite(value); });
  std::vector<unsigned char> cells(static_cast<size_t>(columns) * rows, 0);
  if (!finite.empty()) {
    std::vector<double> sorted = finite;
    std::sort(sorted.begin(), sorted.end());
    const double low = sorted.front();
    // Of the highest losses, the topmost 2 % may leave the picture.
    const double share = 0.98 * static_cast<double>(sorted.size() - 1);
    const double high = sorted[static_cast<size_t>(std::ceil(share))];
    const int height = 4 * rows;
    const double span = high > low ? high - low : 1;
    int before = -1;
    const std::vector<double> means = Resample(finite, 2 * columns);
    for (int x = 0; x < 2 * columns; ++x) {
      const double up = std::clamp((means[static_cast<size_t>(x)] - low) / span, 0.0, 1.0);
      const int y = static_cast<int>(std::lround((1 - up) * (height - 1)));
      // A steep stretch is drawn as an upright line, so that the curve stays joined.
      const int from = before < 0 ? y : std::min(y, before + (before < y ? 1 : 0));
      const int to = before < 0 ? y : std::max(y, before - (before > y ? 1 : 0));
      for (int dot = from; dot <= to; ++dot) {
        cells[static_cast<size_t>(dot / 4) * columns + x / 2] |= kDots[dot % 4][x % 2];
      }
      before = y;
    }
  }
  std::vector<std::string> lines;
  for (int row = 0; row < rows; ++row) {
    std::string line;
    for (int column = 0; column < columns; ++column) {
      line += Utf8Braille(cells[static_cast<size_t>(row) * columns + column]);
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace sluice::cli
