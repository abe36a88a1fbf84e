// A file, as a stream of chunks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/rpc/write_reactor.h"
#include "sluice/v1/model.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

std::unique_ptr<Source<v1::FileChunk>> StreamFile(std::string file, int64_t chunk_bytes);

}  // namespace sluiced::rpc
