// Rpc: every method of the server, and the scope that a caller needs for it.
#pragma once

#include <cstddef>
#include <iterator>
#include <string_view>

#include "server/access/scope.h"

namespace sluiced::rpc {

struct RpcInfo {
  std::string_view service;  // "sluice.v1.ModelService"
  std::string_view name;     // "GetModel"; no two services share one.
  access::Scope scope;
};

// What a caller may do is decided here and nowhere else. Looking at models is for
// everyone with a token, computing with them for infer; what adds to the server or
// changes it is for train, and so is taking data or parameters away; what destroys, and
// taking all of it, is for admin, who may do all. gRPC's own health service asks nobody.
inline constexpr RpcInfo kRpcs[] = {
    {"sluice.v1.ModelService", "CreateModel", access::Scope::kTrain},
    {"sluice.v1.ModelService", "GetModel", access::Scope::kAny},
    {"sluice.v1.ModelService", "ListModels", access::Scope::kAny},
    {"sluice.v1.ModelService", "UpdateModel", access::Scope::kTrain},
    {"sluice.v1.ModelService", "DeleteModel", access::Scope::kAdmin},
    {"sluice.v1.ModelService", "GetVersion", access::Scope::kAny},
    {"sluice.v1.ModelService", "ListVersions", access::Scope::kAny},
    {"sluice.v1.ModelService", "DeleteVersion", access::Scope::kAdmin},
    {"sluice.v1.ModelService", "SetAlias", access::Scope::kTrain},
    {"sluice.v1.ModelService", "DeleteAlias", access::Scope::kTrain},
    {"sluice.v1.ModelService", "ExportVersion", access::Scope::kTrain},
    {"sluice.v1.ModelService", "ImportModel", access::Scope::kTrain},
    {"sluice.v1.DatasetService", "UploadDataset", access::Scope::kTrain},
    {"sluice.v1.DatasetService", "GenerateDataset", access::Scope::kTrain},
    {"sluice.v1.DatasetService", "DownloadDataset", access::Scope::kTrain},
    {"sluice.v1.DatasetService", "GetDataset", access::Scope::kTrain},
    {"sluice.v1.DatasetService", "ListDatasets", access::Scope::kTrain},
    {"sluice.v1.DatasetService", "DeleteDataset", access::Scope::kAdmin},
    {"sluice.v1.DatasetService", "ListToys", access::Scope::kAny},
    {"sluice.v1.TrainingService", "CreateTrainJob", access::Scope::kTrain},
    {"sluice.v1.TrainingService", "GetTrainJob", access::Scope::kTrain},
    {"sluice.v1.TrainingService", "ListTrainJobs", access::Scope::kTrain},
    {"sluice.v1.TrainingService", "CancelTrainJob", access::Scope::kTrain},
    {"sluice.v1.TrainingService", "PauseTrainJob", access::Scope::kTrain},
    {"sluice.v1.TrainingService", "ResumeTrainJob", access::Scope::kTrain},
    {"sluice.v1.TrainingService", "DeleteTrainJob", access::Scope::kAdmin},
    {"sluice.v1.TrainingService", "WatchTrainJob", access::Scope::kTrain},
    {"sluice.v1.TrainingService", "ListTargets", access::Scope::kAny},
    {"sluice.v1.TrainingService", "EvaluateTarget", access::Scope::kInfer},
    {"sluice.v1.InferenceService", "LogProb", access::Scope::kInfer},
    {"sluice.v1.InferenceService", "Sample", access::Scope::kInfer},
    {"sluice.v1.InferenceService", "Transform", access::Scope::kInfer},
    {"sluice.v1.InferenceService", "StreamLogProb", access::Scope::kInfer},
    {"sluice.v1.InferenceService", "StreamTransform", access::Scope::kInfer},
    {"sluice.v1.InferenceService", "StreamSample", access::Scope::kInfer},
    {"sluice.v1.EvaluationService", "Evaluate", access::Scope::kTrain},
    {"sluice.v1.EvaluationService", "SelfTest", access::Scope::kInfer},
    {"sluice.v1.EvaluationService", "SampleCorrected", access::Scope::kInfer},
    {"sluice.v1.BackupService", "Backup", access::Scope::kAdmin},
    {"inference.GRPCInferenceService", "ServerLive", access::Scope::kAny},
    {"inference.GRPCInferenceService", "ServerReady", access::Scope::kAny},
    {"inference.GRPCInferenceService", "ServerMetadata", access::Scope::kAny},
    {"inference.GRPCInferenceService", "ModelReady", access::Scope::kAny},
    {"inference.GRPCInferenceService", "ModelMetadata", access::Scope::kAny},
    {"inference.GRPCInferenceService", "ModelInfer", access::Scope::kInfer},
    {"sluice.v1.ServerService", "GetStatistics", access::Scope::kAny},
    {"grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo", access::Scope::kAny},
};

// Its place in the table.
inline size_t IndexOf(const RpcInfo& rpc) { return static_cast<size_t>(&rpc - kRpcs); }

// The row of a method; one that the table lacks does not compile.
consteval const RpcInfo& Rpc(std::string_view name) {
  // An index, since GCC's sanitizers let no address be compared here.
  size_t found = std::size(kRpcs);
  for (size_t i = 0; i < std::size(kRpcs); ++i) {
    if (kRpcs[i].name != name) continue;
    if (found != std::size(kRpcs)) throw "two methods of this name";
    found = i;
  }
  if (found == std::size(kRpcs)) throw "no method of this name";
  return kRpcs[found];
}

}  // namespace sluiced::rpc
