// The resources as JSON, for --format json. Field names are those of sluice/v1.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "sluice/types.h"

namespace sluice::cli {

using Json = nlohmann::ordered_json;

Json ToJson(const Model& model);
Json ToJson(const Version& version);
Json ToJson(const Dataset& dataset);
Json ToJson(const Toy& toy);
Json ToJson(const Target& target);
Json ToJson(const TrainJob& job);
Json ToJson(const TrainUpdate& update);
Json ToJson(const Statistics& statistics);

template <typename T>
Json ToJson(const std::vector<T>& items) {
  Json array = Json::array();
  for (const T& item : items) array.push_back(ToJson(item));
  return array;
}

// On stdout. Bytes that are no UTF-8 are replaced.
void PrintJson(const Json& json);

}  // namespace sluice::cli
