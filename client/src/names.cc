#include "client/src/names.h"

#include <charconv>

namespace sluice {
namespace {

constexpr char kModels[] = "models/";
constexpr char kJobs[] = "trainJobs/";
constexpr char kVersions[] = "/versions/";

bool IsFullName(const std::string& name) {
  return name.starts_with(kModels) || name.starts_with(kJobs);
}

}  // namespace

std::string ModelName(const std::string& id) { return kModels + id; }
std::string DatasetName(const std::string& id) { return "datasets/" + id; }
std::string TargetName(const std::string& id) { return "targets/" + id; }
std::string JobName(const std::string& id) { return kJobs + id; }

std::string ServableName(const std::string& model) {
  if (IsFullName(model)) return model;
  if (const size_t at = model.find('@'); at != std::string::npos) {
    return kModels + model.substr(0, at) + kVersions + model.substr(at + 1);
  }
  if (const size_t hash = model.find('#'); hash != std::string::npos) {
    return kJobs + model.substr(0, hash) + "/snapshots/" + model.substr(hash + 1);
  }
  return kModels + model;
}

std::string VersionName(const std::string& model, const std::string& bare_version) {
  const std::string name = ServableName(model);
  const bool bare = name.starts_with(kModels) && name.find(kVersions) == std::string::npos;
  return bare ? name + kVersions + bare_version : name;
}

bool NamesVersion(const std::string& model) {
  const std::string name = ServableName(model);
  return name.starts_with(kModels) && name.find(kVersions) != std::string::npos;
}

std::string IdOf(const std::string& collection, const std::string& name) {
  if (!name.starts_with(collection)) return name;
  const std::string rest = name.substr(collection.size());
  return rest.substr(0, rest.find('/'));
}

std::optional<int64_t> VersionNumberOf(const std::string& name) {
  const size_t slash = name.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  const char* end = name.data() + name.size();
  int64_t number = 0;
  const auto [stop, error] = std::from_chars(name.data() + slash + 1, end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace sluice
