// HostileMessages: calls whose messages hold what their fields should not.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/hostile_random.h"

namespace sluice::testing {

struct HostileCall {
  std::string method;  // "/sluice.v1.ModelService/GetModel"
  bool takes_stream = false;
  std::vector<std::string> messages;  // As sent, in order.
};

// Makes calls of every method of sluice.v1 and the Open Inference Protocol out of well-formed ones,
// which are about the model, dataset and train job `prey`: with fields set to edge values, or bytes
// spoilt, or as they are. Not thread-safe.
class HostileMessages {
 public:
  explicit HostileMessages(uint64_t seed);
  HostileCall Next();
  Dice& dice() { return dice_; }

 private:
  struct Form {
    std::string method;
    bool takes_stream;
    std::vector<std::unique_ptr<google::protobuf::Message>> messages;
  };

  // Throws where a method of the services has no well-formed call here.
  void AddMethods(const google::protobuf::ServiceDescriptor& service);
  std::string MessageBytes(const google::protobuf::Message& form);

  std::vector<Form> forms_;
  Dice dice_;
};

// Sets one to four fields of `message`, or of what it holds, to edge values.
void SetEdgeValues(google::protobuf::Message* message, Dice* dice);

// Put in strings for bytes that are no UTF-8, which protobuf would complain about;
// HostileMessages puts 0xff in its place once the message is bytes.
inline constexpr char kNoUtf8[] = "@no-utf8@";

}  // namespace sluice::testing
