#include "server/rpc/reflection_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/rpc/call.h"
#include "server/rpc/exchange_reactor.h"

namespace sluiced::rpc {
namespace {

namespace reflection = ::grpc::reflection::v1alpha;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

using Request = reflection::ServerReflectionRequest;
using Response = reflection::ServerReflectionResponse;

// `file` with all that it imports, each once.
void AddFile(const FileDescriptor* file, std::set<const FileDescriptor*>* added,
             reflection::FileDescriptorResponse* out) {
  if (!added->insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  proto.SerializeToString(out->add_file_descriptor_proto());
  for (int i = 0; i < file->dependency_count(); ++i) AddFile(file->dependency(i), added, out);
}

void SetNotFound(const std::string& what, Response* out) {
  reflection::ErrorResponse* error = out->mutable_error_response();
  error->set_error_code(grpc::StatusCode::NOT_FOUND);
  error->set_error_message(absl::StrCat(what, " is not known here"));
}

void SetFile(const FileDescriptor* file, const std::string& wanted, Response* out) {
  if (file == nullptr) return SetNotFound(wanted, out);
  std::set<const FileDescriptor*> added;
  AddFile(file, &added, out->mutable_file_descriptor_response());
}

const FileDescriptor* FileOfExtension(const reflection::ExtensionRequest& wanted) {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  const Descriptor* type = pool->FindMessageTypeByName(wanted.containing_type());
  if (type == nullptr) return nullptr;
  const FieldDescriptor* field = pool->FindExtensionByNumber(type, wanted.extension_number());
  return field == nullptr ? nullptr : field->file();
}

void SetExtensionNumbers(const std::string& name, Response* out) {
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  const Descriptor* type = pool->FindMessageTypeByName(name);
  if (type == nullptr) return SetNotFound(name, out);
  std::vector<const FieldDescriptor*> extensions;
  pool->FindAllExtensions(type, &extensions);
  out->mutable_all_extension_numbers_response()->set_base_type_name(name);
  for (const FieldDescriptor* field : extensions) {
    out->mutable_all_extension_numbers_response()->add_extension_number(field->number());
  }
}

void ListServices(Response* out) {
  std::set<std::string> names = {"grpc.health.v1.Health"};  // gRPC's own.
  for (const RpcInfo& rpc : kRpcs) names.emplace(rpc.service);
  for (const std::string& name : names) {
    out->mutable_list_services_response()->add_service()->set_name(name);
  }
}

class ReflectionResponder final : public Responder<Request, Response> {
 public:
  void Answer(Call& /*call*/, const Request& in, Response* out, Answered answered) override {
    answered(CatchAll([&] { return Reflect(in, out); }));
  }

 private:
  absl::Status Reflect(const Request& in, Response* out) {
    const DescriptorPool* pool = DescriptorPool::generated_pool();
    out->set_valid_host(in.host());
    *out->mutable_original_request() = in;
    switch (in.message_request_case()) {
      case Request::kFileByFilename:
        SetFile(pool->FindFileByName(in.file_by_filename()), in.file_by_filename(), out);
        break;
      case Request::kFileContainingSymbol:
        SetFile(pool->FindFileContainingSymbol(in.file_containing_symbol()),
                in.file_containing_symbol(), out);
        break;
      case Request::kFileContainingExtension:
        SetFile(FileOfExtension(in.file_containing_extension()), "the extension", out);
        break;
      case Request::kAllExtensionNumbersOfType:
        SetExtensionNumbers(in.all_extension_numbers_of_type(), out);
        break;
      case Request::kListServices:
        ListServices(out);
        break;
      case Request::MESSAGE_REQUEST_NOT_SET:
        out->mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
        out->mutable_error_response()->set_error_message("the request asks nothing");
        break;
    }
    return absl::OkStatus();
  }
};

class ReflectionService final
    : public reflection::ServerReflection::WithRawCallbackMethod_ServerReflectionInfo<
          reflection::ServerReflection::Service> {
 public:
  explicit ReflectionService(const Runtime& runtime) : runtime_(runtime) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ServerReflectionInfo(
      grpc::CallbackServerContext* context) override {
    return new ExchangeReactor<Request, Response>(runtime_, runtime_.io,
                                                  Rpc("ServerReflectionInfo"), *context,
                                                  std::make_unique<ReflectionResponder>());
  }

 private:
  const Runtime runtime_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeReflectionService(const Runtime& runtime) {
  return std::make_unique<ReflectionService>(runtime);
}

}  // namespace sluiced::rpc
