// Limits: what one call may ask of the server. Beyond them: RESOURCE_EXHAUSTED.
#pragma once

#include <cstdint>

namespace sluiced::serving {

struct Limits {
  int64_t message_bytes = int64_t{64} << 20;  // Of one request, as received.
  int64_t reply_bytes = int64_t{256} << 20;   // Of the numbers in one reply.
  int64_t rows = 1'000'000;                   // Of one message.
  int64_t upload_bytes = int64_t{1} << 30;    // Of a dataset, over all messages.
  // Of all calls together, as received and not yet answered.
  int64_t in_flight_bytes = int64_t{2} << 30;
  int64_t in_flight_rows = 16'000'000;      // Of all calls together, asked for.
  int64_t import_bytes = int64_t{1} << 30;  // Of a model file.
  int64_t chunk_bytes = int64_t{1} << 20;   // Of each message we stream out; about.
  int64_t text_bytes = int64_t{16} << 10;   // Of a description, or of all labels.
};

}  // namespace sluiced::serving
