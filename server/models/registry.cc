#include "server/models/registry.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/common/thread_pool.h"
#include "server/flows/catch_torch.h"
#include "server/flows/parameters.h"
#include "server/models/engine_flow.h"
#include "server/models/model_cache.h"
#include "server/models/model_codec.h"
#include "server/models/names.h"

namespace sluiced::models {
namespace {

store::VersionRecord Version0(const std::string& model, absl::string_view source, uint64_t seed,
                              absl::Time now) {
  store::VersionRecord version;
  version.model = model;
  version.source = std::string(source);
  version.seed = seed;
  version.create_time = now;
  return version;
}

class StoreRegistry : public Registry {
 public:
  StoreRegistry(store::Store* store, const RegistryOptions& options)
      : store_(store),
        options_(options),
        cache_(options.max_bytes, options.max_waiting,
               [this](std::function<void()> load) { return loader_.TryPost(std::move(load)); }),
        loader_(options.load_threads, options.max_waiting) {}

  ModelPtr FindLoaded(absl::string_view name) override {
    const absl::StatusOr<ModelName> parsed = ParseModelName(name);
    if (!parsed.ok()) return nullptr;
    const auto* version = std::get_if<VersionName>(&*parsed);
    const std::optional<VersionId> id = version ? Recall(*version) : std::nullopt;
    return id ? cache_.Find(VersionResource(id->model, id->number)) : nullptr;
  }

  void Find(absl::string_view name, Found found) override {
    const absl::StatusOr<ModelName> parsed = ParseModelName(name);
    if (!parsed.ok()) return found(parsed.status());
    if (const auto* version = std::get_if<VersionName>(&*parsed)) {
      if (const std::optional<VersionId> id = Recall(*version)) return FindVersion(*id, found);
    }
    if (!loader_.TryPost([this, name = *parsed, found] { FindStored(name, found); })) {
      found(WithReason("MODEL_LOADS",
                       Exhausted("too many models wait to be looked up", absl::Seconds(1))));
    }
  }

  Usage GetUsage() override {
    ModelCache::Contents contents = cache_.List();
    return {.loaded = std::move(contents.loaded),
            .max_bytes = options_.max_bytes,
            .waiting = contents.waiting,
            .max_waiting = options_.max_waiting};
  }

  absl::StatusOr<store::ModelRecord> CreateModel(const struct CreateModel& request) override {
    RETURN_IF_ERROR(PrefixField("spec", flows::Validate(request.spec)));
    return flows::CatchTorch("making the model", [&]() -> absl::StatusOr<store::ModelRecord> {
      flows::FlowState state;
      state.spec = request.spec;
      state.parameters = flows::InitialParameters(request.spec, request.seed);
      return Add(request, state, "initial");
    });
  }

  absl::StatusOr<store::ModelRecord> Import(const struct CreateModel& request,
                                            absl::string_view file) override {
    return flows::CatchTorch("importing the model", [&]() -> absl::StatusOr<store::ModelRecord> {
      ASSIGN_OR_RETURN(flows::FlowState state, DecodeImport(file));
      return Add(request, state, "import");
    });
  }

  absl::StatusOr<std::string> Export(absl::string_view name) override {
    ASSIGN_OR_RETURN(flows::FlowState state, LoadState(name));
    return EncodeModelFile(state);
  }

  absl::StatusOr<store::ModelRecord> GetModel(absl::string_view id) override {
    return store_->GetModel(id);
  }
  absl::StatusOr<std::vector<store::ModelRecord>> ListModels(const store::Page& page) override {
    return store_->ListModels(page);
  }
  absl::StatusOr<store::ModelRecord> UpdateModel(const store::ModelRecord& model) override {
    RETURN_IF_ERROR(store_->UpdateModel(model));
    return store_->GetModel(model.id);
  }

  absl::Status DeleteModel(absl::string_view id) override {
    RETURN_IF_ERROR(store_->DeleteModel(id));
    Refresh(id);
    cache_.Forget(absl::StrCat(ModelResource(id), "/"));
    return absl::OkStatus();
  }

  absl::StatusOr<store::VersionRecord> GetVersion(absl::string_view name) override {
    ASSIGN_OR_RETURN(const VersionId id, ResolveVersion(name));
    return store_->GetVersion(id.model, id.number);
  }
  absl::StatusOr<std::vector<store::VersionRecord>> ListVersions(absl::string_view model,
                                                                 int64_t after,
                                                                 int64_t limit) override {
    return store_->ListVersions(model, after, limit);
  }

  absl::Status DeleteVersion(absl::string_view name) override {
    ASSIGN_OR_RETURN(const VersionName parsed, ParseVersionName(name, "name"));
    ASSIGN_OR_RETURN(const VersionId id, Resolve(parsed));
    RETURN_IF_ERROR(store_->DeleteVersion(id.model, id.number));
    cache_.Forget(VersionResource(id.model, id.number));
    return absl::OkStatus();
  }

  absl::StatusOr<store::ModelRecord> SetAlias(absl::string_view model, absl::string_view alias,
                                              int64_t version) override {
    RETURN_IF_ERROR(CheckAlias(alias));
    RETURN_IF_ERROR(store_->SetAlias(model, alias, version));
    Refresh(model);
    return store_->GetModel(model);
  }
  absl::StatusOr<store::ModelRecord> DeleteAlias(absl::string_view model,
                                                 absl::string_view alias) override {
    RETURN_IF_ERROR(CheckAlias(alias));
    RETURN_IF_ERROR(store_->DeleteAlias(model, alias));
    Refresh(model);
    return store_->GetModel(model);
  }

  absl::StatusOr<flows::FlowState> LoadState(absl::string_view name) override {
    ASSIGN_OR_RETURN(const VersionId id, ResolveVersion(name));
    return ReadState(id);
  }

  void Refresh(absl::string_view model) override {
    absl::MutexLock lock(&mu_);
    ++epoch_;
    versions_.erase(std::string(model));
  }

 private:
  struct VersionId {
    std::string model;
    int64_t number;
  };
  // Version numbers by alias, `latest` included.
  using Aliases = std::map<std::string, int64_t>;

  absl::StatusOr<VersionId> ResolveVersion(absl::string_view name) {
    ASSIGN_OR_RETURN(ModelName parsed, ParseModelName(name, "name"));
    if (const auto* version = std::get_if<VersionName>(&parsed)) return Resolve(*version);
    return FieldError("name", "a snapshot is no version");
  }

  absl::StatusOr<VersionId> Resolve(const VersionName& name) {
    if (std::optional<VersionId> id = Recall(name)) return *std::move(id);
    ASSIGN_OR_RETURN(const Aliases aliases, ReadAliases(name.model));
    const auto found = aliases.find(name.version);
    if (found != aliases.end()) return VersionId{name.model, found->second};
    return NotFound("version", absl::StrCat(ModelResource(name.model), "/versions/", name.version));
  }

  // Without the store; nullopt when memory does not tell.
  std::optional<VersionId> Recall(const VersionName& name) {
    int64_t number = 0;
    if (absl::SimpleAtoi(name.version, &number)) return VersionId{name.model, number};
    absl::MutexLock lock(&mu_);
    const auto aliases = versions_.find(name.model);
    if (aliases == versions_.end()) return std::nullopt;
    const auto found = aliases->second.find(name.version);
    if (found == aliases->second.end()) return std::nullopt;
    return VersionId{name.model, found->second};
  }

  absl::StatusOr<Aliases> ReadAliases(const std::string& model) {
    int64_t epoch = 0;
    {
      absl::MutexLock lock(&mu_);
      epoch = epoch_;
    }
    ASSIGN_OR_RETURN(store::ModelRecord record, store_->GetModel(model));
    Aliases aliases = std::move(record.aliases);
    aliases[kLatest] = record.latest_version;
    absl::MutexLock lock(&mu_);
    // A change since the record was read would make it stale for good.
    if (epoch == epoch_) versions_[model] = aliases;
    return aliases;
  }

  void FindVersion(const VersionId& id, const Found& found) {
    const std::string resource = VersionResource(id.model, id.number);
    const auto load = [this, id, resource]() -> absl::StatusOr<ModelPtr> {
      ASSIGN_OR_RETURN(flows::FlowState state, ReadState(id));
      return Load(resource, std::move(state));
    };
    cache_.Get(resource, load, found);
  }

  // On a thread of the loader: waits for the store.
  void FindStored(const ModelName& name, const Found& found) {
    if (const auto* snapshot = std::get_if<SnapshotName>(&name)) {
      return found(FindSnapshot(*snapshot));
    }
    const absl::StatusOr<VersionId> id = flows::CatchTorch(
        "looking up the model", [&] { return Resolve(std::get<VersionName>(name)); });
    if (!id.ok()) return found(id.status());
    FindVersion(*id, found);
  }

  absl::StatusOr<flows::FlowState> ReadState(const VersionId& id) {
    ASSIGN_OR_RETURN(const store::ModelRecord model, store_->GetModel(id.model));
    ASSIGN_OR_RETURN(const store::VersionRecord version, store_->GetVersion(id.model, id.number));
    ASSIGN_OR_RETURN(const std::string parameters, store_->GetParameters(id.model, id.number));
    // These are reads of one moment each: another model may have taken the name between.
    ASSIGN_OR_RETURN(const store::ModelRecord after, store_->GetModel(id.model));
    if (after.create_time != model.create_time) {
      return absl::AbortedError(absl::StrCat(ModelResource(id.model), " was replaced meanwhile"));
    }
    flows::FlowState state;
    ASSIGN_OR_RETURN(state.spec, flows::SpecFromJson(model.spec_json));
    ASSIGN_OR_RETURN(state.standardization, DecodeStandardization(version.standardization_json));
    ASSIGN_OR_RETURN(state.parameters, DecodeParameters(state.spec, parameters));
    return state;
  }

  // Of a job that has others, an unknown snapshot's neighbours: an error that names
  // them needs no second try.
  absl::Status NameNearest(const SnapshotName& name, absl::Status error) {
    if (!absl::IsNotFound(error)) return error;
    const absl::StatusOr<std::vector<int64_t>> epochs = store_->ListSnapshots(name.job);
    if (!epochs.ok() || epochs->empty()) return error;
    const auto after = std::upper_bound(epochs->begin(), epochs->end(), name.epoch);
    std::string nearest;
    if (after != epochs->begin()) nearest = absl::StrCat(*(after - 1));
    if (after != epochs->begin() && after != epochs->end()) nearest += " and ";
    if (after != epochs->end()) absl::StrAppend(&nearest, *after);
    return NotFound("snapshot", SnapshotResource(name.job, name.epoch),
                    absl::StrCat("the nearest there are: ", nearest));
  }

  absl::StatusOr<ModelPtr> FindSnapshot(const SnapshotName& name) {
    const std::string resource = SnapshotResource(name.job, name.epoch);
    return flows::CatchTorch(absl::StrCat("loading ", resource),
                             [&] { return ReadSnapshot(name, resource); });
  }

  absl::StatusOr<ModelPtr> ReadSnapshot(const SnapshotName& name, const std::string& resource) {
    // Asked of the store each time: a job that was deleted has no snapshots.
    const absl::StatusOr<std::string> file = store_->GetSnapshot(name.job, name.epoch);
    if (!file.ok()) return NameNearest(name, file.status());
    absl::StatusOr<flows::FlowState> state = DecodeModelFile(*file);
    if (!state.ok()) {
      return absl::InternalError(absl::StrCat(resource, ": ", state.status().message()));
    }
    return Load(resource, *std::move(state));
  }

  // A file is imported when it can also be served.
  static absl::StatusOr<flows::FlowState> DecodeImport(absl::string_view file) {
    absl::StatusOr<flows::FlowState> state = DecodeModelFile(file);
    absl::Status status = state.status();
    if (status.ok()) status = flows::Flow::Create(*state).status();
    if (status.ok()) return state;
    if (!absl::IsInvalidArgument(status)) return status;
    return FieldError("chunk", status.message());
  }

  static absl::StatusOr<ModelPtr> Load(const std::string& resource, flows::FlowState state) {
    ASSIGN_OR_RETURN(std::shared_ptr<const flows::Flow> flow, MakeFlow(std::move(state)));
    return std::make_shared<const Loaded>(Loaded{resource, std::move(flow)});
  }

  absl::StatusOr<store::ModelRecord> Add(const struct CreateModel& request,
                                         const flows::FlowState& state, absl::string_view source) {
    store::ModelRecord model;
    model.id = request.id;
    model.spec_json = flows::ToJson(state.spec);
    model.description = request.description;
    model.labels = request.labels;
    model.create_time = absl::Now();
    store::VersionRecord version = Version0(model.id, source, request.seed, model.create_time);
    version.standardization_json = EncodeStandardization(state.standardization);
    RETURN_IF_ERROR(store_->CreateModel(model, version, EncodeParameters(state.parameters)));
    // Whatever was read of an earlier model of this name is stale.
    Refresh(model.id);
    cache_.Forget(absl::StrCat(ModelResource(model.id), "/"));
    return model;
  }

  // Constant after construction.
  store::Store* const store_;
  const RegistryOptions options_;
  ModelCache cache_;
  // Guarded.
  absl::Mutex mu_;
  int64_t epoch_ ABSL_GUARDED_BY(mu_) = 0;  // Counts changes.
  std::map<std::string, Aliases> versions_ ABSL_GUARDED_BY(mu_);
  // Destroyed first: its threads use the rest.
  ThreadPool loader_;
};

}  // namespace

std::unique_ptr<Registry> Registry::Create(store::Store* store, RegistryOptions options) {
  return std::make_unique<StoreRegistry>(store, options);
}

}  // namespace sluiced::models
