// Numbers and times as a person reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/types.h"

namespace sluice::cli {

std::string FormatNumber(double value, int digits);  // %.{digits}g
std::string FormatLoss(double nats);                 // "3.1742"; "1.2e+07" where large.
std::string FormatCount(int64_t count);              // "12,345"
std::string FormatRate(double per_second);           // "1.23 M", "85 k", "640"
std::string FormatBytes(double bytes);               // "3.2 GB", "12 kB"
std::string FormatDuration(double seconds);          // "3 s", "4 min 10 s", "2 h 5 min"
std::string FormatTime(Time time);  // "2025-08-03 14:02:11" UTC; "-" for the epoch.
std::string IsoTime(Time time);     // "2025-08-03T14:02:11Z"

// Columns that `text` (UTF-8, without wide characters) takes on a terminal.
size_t DisplayWidth(std::string_view text);
std::string PadRight(std::string text, size_t width);

}  // namespace sluice::cli
