#include "server/rpc/model_import.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/rpc/decode_text.h"
#include "server/rpc/encode_model.h"

namespace sluiced::rpc {
namespace {

class ModelImport final : public Sink<v1::ImportModelRequest, v1::Model> {
 public:
  explicit ModelImport(const Runtime& runtime)
      : registry_(runtime.registry), limits_(runtime.limits) {}

  absl::Status Take(v1::ImportModelRequest* part) override {
    if (!has_header_) return TakeHeader(*part);
    if (!part->has_chunk()) return FieldError("chunk", "is missing in a part after the header");
    const auto limit = static_cast<size_t>(limits_.import_bytes);
    if (part->chunk().size() > limit - file_.size()) {
      return Exhausted(absl::StrCat("the file exceeds ", limit, " bytes"), absl::ZeroDuration());
    }
    file_ += part->chunk();
    return absl::OkStatus();
  }

  absl::Status Store(Call& /*call*/, v1::Model* reply) override {
    if (!has_header_) return FieldError("header", "is missing: it is the first part");
    ASSIGN_OR_RETURN(const store::ModelRecord model, registry_->Import(request_, file_));
    return EncodeModel(model, reply);
  }

 private:
  absl::Status TakeHeader(const v1::ImportModelRequest& part) {
    if (!part.has_header()) return FieldError("header", "is missing: it is the first part");
    const auto& header = part.header();
    RETURN_IF_ERROR(CheckId("header.model_id", header.model_id()));
    RETURN_IF_ERROR(CheckText("header.description", header.description(), limits_.text_bytes));
    ASSIGN_OR_RETURN(request_.labels,
                     DecodeLabels("header.labels", header.labels(), limits_.text_bytes));
    request_.id = header.model_id();
    request_.description = header.description();
    has_header_ = true;
    return absl::OkStatus();
  }

  models::Registry* const registry_;
  const serving::Limits limits_;
  bool has_header_ = false;
  models::CreateModel request_;
  std::string file_;
};

}  // namespace

std::unique_ptr<Sink<v1::ImportModelRequest, v1::Model>> MakeModelImport(const Runtime& runtime) {
  return std::make_unique<ModelImport>(runtime);
}

}  // namespace sluiced::rpc
