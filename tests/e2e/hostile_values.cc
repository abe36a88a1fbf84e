// SetEdgeValues: which fields, and to what.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/e2e/hostile_messages.h"

namespace sluice::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

template <typename T>
using Of = std::numeric_limits<T>;

constexpr int64_t kWholes[] = {0,
                               1,
                               -1,
                               2,
                               3,
                               7,
                               40,
                               255,
                               1000,
                               65536,
                               1'000'000,
                               1'000'001,
                               Of<int32_t>::max(),
                               Of<int32_t>::min(),
                               int64_t{1} << 32,
                               int64_t{1} << 61,
                               int64_t{1} << 62,
                               Of<int64_t>::max() - 1,
                               Of<int64_t>::max(),
                               Of<int64_t>::min()};

constexpr double kReals[] = {0.0,
                             -0.0,
                             1.0,
                             -1.0,
                             0.5,
                             1e-3,
                             1e30,
                             -1e30,
                             1e-320,
                             1e308,
                             -Of<double>::max(),
                             Of<double>::infinity(),
                             -Of<double>::infinity(),
                             Of<double>::quiet_NaN()};

const std::vector<std::string>& Texts() {
  static const std::vector<std::string> texts = {
      "",
      "prey",
      "prey.log_prob",
      "prey.sample",
      "FP32",
      "BYTES",
      "models/prey",
      "models/prey/versions/0",
      "models/prey/versions/latest",
      "models/prey/versions/-1",
      "models/prey/versions/99999999999999999999",
      "datasets/prey",
      "targets/ring",
      "trainJobs/prey",
      "trainJobs/prey/snapshots/1",
      "trainJobs/prey/snapshots/9223372036854775807",
      "models/../../etc/passwd",
      "models/",
      "///",
      "latest",
      "description",
      "labels",
      "real-nvp",
      "swiss-roll",
      "'; DROP TABLE models; --",
      "%s%n%d",
      "MODELS/PREY",
      "\xd0\xbc\xd0\xbe\xd0\xb4\xd0\xb5\xd0\xbb\xd1\x8c",
      std::string("models/pr\0ey", 12),
      std::string("models/") + kNoUtf8,
      kNoUtf8,
      std::string(64, 'a'),
      std::string(2000, '\x01'),
      std::string(20000, 'a'),
      "models/" + std::string(100000, '/'),
  };
  return texts;
}

std::string TextFor(const std::string& before, Dice* dice) {
  if (!dice->OneIn(4)) return dice->Pick(Texts());
  std::string text = before;
  for (char& c : text) {
    if (c > 0 && dice->OneIn(6)) c = static_cast<char>(1 + dice->Below(127));
  }
  return text;
}

std::string BytesFor(const std::string& before, Dice* dice) {
  if (before.empty() || dice->OneIn(3)) return dice->Bytes(200);
  std::string bytes = before;
  dice->Spoil(&bytes);
  return bytes;
}

// The one field of a message that is set, or one element of it that is added.
class Setter {
 public:
  Setter(Message* message, const FieldDescriptor* field, Dice* dice)
      : message_(*message), reflection_(*message->GetReflection()), field_(field), dice_(*dice) {}

  void Run() {
    if (dice_.OneIn(8)) return reflection_.ClearField(&message_, field_);
    if (field_->is_repeated()) return Repeat();
    if (field_->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      SetEdgeValues(reflection_.MutableMessage(&message_, field_), &dice_);
    } else {
      SetOne();
    }
  }

 private:
  int64_t Whole() {
    return dice_.OneIn(8) ? static_cast<int64_t>(dice_.Bits()) : dice_.Pick(kWholes);
  }

  void SetOne() {
    switch (field_->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection_.SetInt32(&message_, field_, static_cast<int32_t>(Whole()));
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection_.SetUInt32(&message_, field_, static_cast<uint32_t>(Whole()));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection_.SetInt64(&message_, field_, Whole());
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection_.SetUInt64(&message_, field_, static_cast<uint64_t>(Whole()));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return reflection_.SetDouble(&message_, field_, dice_.Pick(kReals));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection_.SetBool(&message_, field_, dice_.OneIn(2));
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection_.SetEnumValue(&message_, field_, EnumValue());
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection_.SetString(&message_, field_,
                                     Text(reflection_.GetString(message_, field_)));
      default:
        return;
    }
  }

  void AddOne() {
    switch (field_->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection_.AddInt32(&message_, field_, static_cast<int32_t>(Whole()));
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection_.AddUInt32(&message_, field_, static_cast<uint32_t>(Whole()));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection_.AddInt64(&message_, field_, Whole());
      case FieldDescriptor::CPPTYPE_UINT64:
        return reflection_.AddUInt64(&message_, field_, static_cast<uint64_t>(Whole()));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return reflection_.AddFloat(&message_, field_, static_cast<float>(dice_.Pick(kReals)));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection_.AddBool(&message_, field_, dice_.OneIn(2));
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return reflection_.AddDouble(&message_, field_, dice_.Pick(kReals));
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection_.AddString(&message_, field_, Text(""));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return SetEdgeValues(reflection_.AddMessage(&message_, field_), &dice_);
      default:
        return;
    }
  }

  void Repeat() {
    if (dice_.OneIn(3)) reflection_.ClearField(&message_, field_);
    if (reflection_.FieldSize(message_, field_) > 1 && dice_.OneIn(3)) {
      reflection_.RemoveLast(&message_, field_);
    }
    const size_t more = dice_.OneIn(50) ? 3000 : dice_.Below(4);
    for (size_t i = 0; i < more; ++i) AddOne();
  }

  std::string Text(const std::string& before) {
    return field_->type() == FieldDescriptor::TYPE_BYTES ? BytesFor(before, &dice_)
                                                         : TextFor(before, &dice_);
  }

  int EnumValue() {
    const int values = field_->enum_type()->value_count();
    if (dice_.OneIn(3)) return static_cast<int>(Whole());
    return field_->enum_type()
        ->value(static_cast<int>(dice_.Below(static_cast<size_t>(values))))
        ->number();
  }

  Message& message_;
  const Reflection& reflection_;
  const FieldDescriptor* const field_;
  Dice& dice_;
};

}  // namespace

void SetEdgeValues(Message* message, Dice* dice) {
  const int fields = message->GetDescriptor()->field_count();
  if (fields == 0) return;
  for (size_t left = 1 + dice->Below(2); left > 0; --left) {
    const int field = static_cast<int>(dice->Below(static_cast<size_t>(fields)));
    Setter(message, message->GetDescriptor()->field(field), dice).Run();
  }
}

}  // namespace sluice::testing
