// Messages of streams, from bytes and to bytes: gRPC would take one that it cannot parse
// for the end of the stream, and half of what was sent for the whole.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluiced::rpc {

// In place of what `message` held. Leaves `bytes` empty.
template <typename Message>
absl::Status FromBytes(grpc::ByteBuffer* bytes, Message* message) {
  if (grpc::SerializationTraits<Message>::Deserialize(bytes, message).ok()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("a message of the stream is no ", message->GetTypeName()));
}

// In place of what `bytes` held.
template <typename Message>
absl::Status ToBytes(const Message& message, grpc::ByteBuffer* bytes) {
  bytes->Clear();
  bool owned = true;  // Always set by protobuf's serialisation: the buffer is ours.
  if (grpc::SerializationTraits<Message>::Serialize(message, bytes, &owned).ok()) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat("no ", message.GetTypeName(), " could be written"));
}

}  // namespace sluiced::rpc
