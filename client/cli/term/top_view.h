// What `sluice top` shows of a server, as lines of text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/term/terminal.h"
#include "sluice/types.h"

namespace sluice::cli {

struct TopFrame {
  std::string server;  // Its address.
  Statistics now;
  std::optional<Statistics> before;  // Of the frame before; absent in the first.
};

// Rates are those since the frame before, else of the last minute; the percentiles always
// of the last minute. The lines are cut to the terminal's columns, not to its rows: the
// last ones matter least. Control characters are replaced.
std::vector<std::string> TopLines(const TopFrame& frame, const Terminal& terminal);

// At most `columns` columns of `line`, its control characters replaced.
std::string FitLine(const std::string& line, int columns);

}  // namespace sluice::cli
