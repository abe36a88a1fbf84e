#include "tests/e2e/hostile_messages.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

#include "inference/open_inference.pb.h"
#include "sluice/v1/dataset.pb.h"
#include "sluice/v1/evaluation.pb.h"
#include "sluice/v1/inference.pb.h"
#include "sluice/v1/model.pb.h"
#include "sluice/v1/training.pb.h"

namespace sluice::testing {
namespace {

using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr char kPoints[] = "{shape: 2 shape: 3 values: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}";

std::string Rows(const std::string& field) { return field + " " + kPoints; }

// The messages of a well-formed call of each method, as protobuf's text.
const std::map<std::string, std::vector<std::string>>& Forms() {
  static const std::string model = "model: 'models/prey' ";
  static const std::string job = "name: 'trainJobs/prey' ";
  static const std::map<std::string, std::vector<std::string>> forms = {
      {"CreateModel",
       {"model_id: 'prey' spec {dim: 3 layers: 4 hidden: 8} labels {key: 'a' value: 'b'}"}},
      {"GetModel", {"name: 'models/prey'"}},
      {"ListModels", {"page_size: 10"}},
      {"UpdateModel",
       {"model {name: 'models/prey' description: 'x'} update_mask {paths: 'description'}"}},
      {"DeleteModel", {"name: 'models/prey'"}},
      {"GetVersion", {"name: 'models/prey/versions/0'"}},
      {"ListVersions", {"parent: 'models/prey' page_size: 10"}},
      {"DeleteVersion", {"name: 'models/prey/versions/1'"}},
      {"SetAlias", {model + "alias: 'best' version: 0"}},
      {"DeleteAlias", {model + "alias: 'best'"}},
      {"ExportVersion", {"name: 'models/prey'"}},
      {"ImportModel", {"header {model_id: 'prey'}", "chunk: ''", "chunk: ''"}},
      {"UploadDataset",
       {"header {dataset_id: 'prey' format: FILE_FORMAT_CSV}", "chunk: 'a,b,c\\n1,2,3\\n4,5,'",
        "chunk: '6\\n'"}},
      {"GenerateDataset", {"dataset_id: 'prey' toy: 'swiss-roll' rows: 300 noise: 0.1"}},
      {"DownloadDataset", {"name: 'datasets/prey'"}},
      {"GetDataset", {"name: 'datasets/prey'"}},
      {"ListDatasets", {"page_size: 10"}},
      {"DeleteDataset", {"name: 'datasets/prey'"}},
      {"ListToys", {""}},
      {"CreateTrainJob",
       {"train_job_id: 'prey' request_id: 'r' train_job {model: 'models/prey' dataset: "
        "'datasets/prey' config {epochs: 2 batch_size: 64 stages {epochs: 2 learning_rate: "
        "0.001}}}"}},
      {"GetTrainJob", {job}},
      {"ListTrainJobs", {model + "page_size: 10"}},
      {"CancelTrainJob", {job}},
      {"PauseTrainJob", {job}},
      {"ResumeTrainJob", {job}},
      {"DeleteTrainJob", {job}},
      {"WatchTrainJob", {job + "after_sequence: 1"}},
      {"ListTargets", {""}},
      {"EvaluateTarget", {"target: 'targets/ring' x {shape: 1 shape: 2 values: [0.5, 1.5]}"}},
      {"Evaluate", {model + "dataset: 'datasets/prey' rows: 50 draws: 60 seed: 1"}},
      {"SelfTest", {model + "draws: 100"}},
      {"SampleCorrected",
       {model +
        "target: 'targets/ring' rows: 20 correction: CORRECTION_MCMC chains: 4 burn_in: 5"}},
      {"ServerLive", {""}},
      {"ServerReady", {""}},
      {"ServerMetadata", {""}},
      {"ModelReady", {"name: 'prey'"}},
      {"ModelMetadata", {"name: 'prey.log_prob' version: '0'"}},
      {"ModelInfer",
       {"model_name: 'prey.log_prob' id: 'i' inputs {name: 'x' datatype: 'FP64' shape: 2 shape: 3 "
        "contents {fp64_contents: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}} outputs {name: 'log_prob'}"}},
      {"LogProb", {model + Rows("x")}},
      {"Sample", {model + "rows: 5 seed: 1"}},
      {"Transform", {model + "direction: DIRECTION_TO_BASE " + Rows("points")}},
      {"StreamLogProb", {model + Rows("x"), model + Rows("x")}},
      {"StreamTransform",
       {model + "direction: DIRECTION_FROM_BASE with_layers: true " + Rows("points"),
        "direction: DIRECTION_TO_BASE " + Rows("points")}},
      {"StreamSample", {model + "rows: 5 seed: 1 with_log_prob: true"}},
  };
  return forms;
}

std::unique_ptr<Message> ParseForm(const MethodDescriptor& method, const std::string& text) {
  std::unique_ptr<Message> message(google::protobuf::MessageFactory::generated_factory()
                                       ->GetPrototype(method.input_type())
                                       ->New());
  if (!google::protobuf::TextFormat::ParseFromString(text, message.get())) {
    throw std::runtime_error("no " + method.input_type()->name() + ": " + text);
  }
  return message;
}

// A model file in two parts: too long to be written as text.
void AddModelFile(std::vector<std::unique_ptr<Message>>* messages) {
  std::ifstream file(SLUICE_TEST_DATA "/parity/d5_l7_h16_f32.weights.safetensors",
                     std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  static_cast<v1::ImportModelRequest&>(*messages->at(1)).set_chunk(bytes.substr(0, 3000));
  static_cast<v1::ImportModelRequest&>(*messages->at(2)).set_chunk(bytes.substr(3000));
}

void ReplaceAll(const std::string& what, const std::string& with, std::string* in) {
  for (size_t at = in->find(what); at != std::string::npos; at = in->find(what, at + what.size())) {
    in->replace(at, what.size(), with);
  }
}

}  // namespace

HostileMessages::HostileMessages(uint64_t seed) : dice_(seed) {
  AddMethods(*v1::LogProbRequest::descriptor()->file()->service(0));
  AddMethods(*v1::CreateModelRequest::descriptor()->file()->service(0));
  AddMethods(*v1::GetDatasetRequest::descriptor()->file()->service(0));
  AddMethods(*v1::GetTrainJobRequest::descriptor()->file()->service(0));
  AddMethods(*v1::EvaluateRequest::descriptor()->file()->service(0));
  AddMethods(*inference::ModelInferRequest::descriptor()->file()->service(0));
}

void HostileMessages::AddMethods(const ServiceDescriptor& service) {
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& method = *service.method(i);
    Form form{"/" + service.full_name() + "/" + method.name(), method.client_streaming(), {}};
    for (const std::string& text : Forms().at(method.name())) {
      form.messages.push_back(ParseForm(method, text));
    }
    if (method.name() == "ImportModel") AddModelFile(&form.messages);
    forms_.push_back(std::move(form));
  }
}

std::string HostileMessages::MessageBytes(const Message& form) {
  std::unique_ptr<Message> message(form.New());
  message->CopyFrom(form);
  if (!dice_.OneIn(6)) SetEdgeValues(message.get(), &dice_);
  std::string bytes = message->SerializeAsString();
  const std::string marker = kNoUtf8;
  ReplaceAll(marker, std::string(marker.size(), '\xff'), &bytes);
  if (dice_.OneIn(8)) dice_.Spoil(&bytes);
  return bytes;
}

HostileCall HostileMessages::Next() {
  const Form& form = dice_.Pick(forms_);
  HostileCall call{form.method, form.takes_stream, {}};
  if (dice_.OneIn(20)) {
    call.messages.push_back(dice_.Bytes(300));
    return call;
  }
  for (const auto& message : form.messages) {
    if (dice_.OneIn(20)) continue;
    call.messages.push_back(MessageBytes(*message));
    if (dice_.OneIn(20)) call.messages.push_back(call.messages.back());
  }
  return call;
}

}  // namespace sluice::testing
