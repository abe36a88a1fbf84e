// Between the plain ids of the public interface and the wire's resource names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sluice {

std::string ModelName(const std::string& id);    // "wow" -> "models/wow"
std::string DatasetName(const std::string& id);  // "wow" -> "datasets/wow"
std::string TargetName(const std::string& id);   // "ring" -> "targets/ring"
std::string JobName(const std::string& id);      // "job-1" -> "trainJobs/job-1"

// What an inference call names: "wow", "wow@3", "wow@alias", "JOB#EPOCH". Full
// names ("models/wow/versions/3") pass as they are, so that the version in a
// reply can be used again. Never fails: the server judges ids.
std::string ServableName(const std::string& model);

// As ServableName, but "wow" means `bare_version`: "wow" -> "models/wow/versions/latest".
std::string VersionName(const std::string& model, const std::string& bare_version);
bool NamesVersion(const std::string& model);  // "wow@3", "models/wow/versions/3".

// "models/wow/versions/3" -> "wow" with collection "models/". A name of another
// shape comes back unchanged.
std::string IdOf(const std::string& collection, const std::string& name);
std::optional<int64_t> VersionNumberOf(const std::string& name);

}  // namespace sluice
