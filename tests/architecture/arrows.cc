#include "tests/architecture/arrows.h"

#include <fstream>
#include <map>
#include <set>

namespace sluice_architecture {
namespace {

using Parts = std::set<std::string>;

// A part may include itself and these. main, directly in server/, joins them all.
const std::map<std::string, Parts>& Arrows() {
  static const std::map<std::string, Parts> arrows = {
      {"common", {}},
      {"access", {"common"}},
      {"store", {"common"}},
      {"jobs", {"store", "common"}},
      {"flows", {"common"}},
      {"engine", {"flows", "common"}},
      {"targets", {"common"}},
      {"data", {"store", "common"}},
      {"evaluation", {"flows", "targets", "common"}},
      {"training", {"flows", "engine", "evaluation", "targets", "data", "common"}},
      {"models", {"flows", "engine", "store", "common"}},
      {"serving", {"models", "flows", "common"}},
      {"observe", {"common"}},
      {"rpc",
       {"access", "serving", "jobs", "models", "data", "flows", "targets", "evaluation", "training",
        "store", "common", "observe"}}};
  return arrows;
}

// The part of "server/PART/..."; empty for files directly in server/.
std::string PartOf(const std::string& path) {
  const size_t start = std::string("server/").size();
  const size_t end = path.find('/', start);
  return end == std::string::npos ? "" : path.substr(start, end - start);
}

bool StartsWithAny(const std::string& text, const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    if (text.starts_with(prefix)) return true;
  }
  return false;
}

bool IsTorch(const std::string& header) {
  return StartsWithAny(header, {"torch/", "ATen/", "c10/"});
}

bool IsGrpc(const std::string& header) {
  return StartsWithAny(header, {"grpc/", "grpc++/", "grpcpp/"}) || header.ends_with(".grpc.pb.h");
}

bool IsClient(const std::string& header) {
  return header.starts_with("client/") ||
         (header.starts_with("sluice/") && !header.starts_with("sluice/v1/"));
}

bool IsStandard(const std::string& header) {
  return header.find_first_of("/.") == std::string::npos;
}

std::optional<std::string> ServerComplaint(const Include& include) {
  if (IsClient(include.header)) return "the server includes nothing of the client";
  const std::string from = PartOf(include.file);
  if (from.empty()) return std::nullopt;
  const auto known = Arrows().find(from);
  if (known == Arrows().end()) return "the part " + from + " has no arrows: add them to the table";
  if (IsTorch(include.header) && from != "flows" && from != "training") {
    return "only flows and training include LibTorch";
  }
  static const Parts kWithoutGrpc = {"common",  "store", "jobs",   "flows",     "engine",
                                     "targets", "data",  "access", "evaluation"};
  if (IsGrpc(include.header) && kWithoutGrpc.contains(from)) return from + " knows no gRPC";
  if (!include.header.starts_with("server/")) return std::nullopt;
  const std::string to = PartOf(include.header);
  static const Parts kSpecs = {"server/flows/base_draws.h", "server/flows/flow.h",
                               "server/flows/flow_spec.h",  "server/flows/parameters.h",
                               "server/flows/spline.h",     "server/flows/standardization.h"};
  if (from == "engine" && to == "flows" && !kSpecs.contains(include.header)) {
    return "engine takes from flows only what a flow is";
  }
  if (to != from && !known->second.contains(to)) return from + " must not include " + to;
  static const Parts kPlain = {"server/training/train_config.h", "server/training/progress.h",
                               "server/training/row_preparation.h",
                               "server/training/column_checks.h"};
  if (from == "rpc" && to == "training" && !kPlain.contains(include.header)) {
    return "rpc includes only the settings, the progress and the rows of training";
  }
  return std::nullopt;
}

std::optional<std::string> ClientComplaint(const Include& include) {
  if (include.header.starts_with("server/")) return "the client includes nothing of the server";
  if (IsTorch(include.header)) return "the client knows no LibTorch";
  if (!include.file.starts_with("client/include/")) return std::nullopt;
  const bool own = include.header.starts_with("sluice/") && IsClient(include.header);
  if (own || IsStandard(include.header)) return std::nullopt;
  return "public headers include the standard library and each other only";
}

// The header that a line includes; nullopt for any other line.
std::optional<std::string> HeaderOf(const std::string& line) {
  constexpr char kBlank[] = " \t";
  const size_t hash = line.find_first_not_of(kBlank);
  if (hash == std::string::npos || line[hash] != '#') return std::nullopt;
  const size_t word = line.find_first_not_of(kBlank, hash + 1);
  if (word == std::string::npos || line.compare(word, 7, "include") != 0) return std::nullopt;
  const size_t open = line.find_first_of("<\"", word);
  if (open == std::string::npos) return std::nullopt;
  const size_t close = line.find_first_of(">\"", open + 1);
  if (close == std::string::npos) return std::nullopt;
  return line.substr(open + 1, close - open - 1);
}

void ReadFile(const std::filesystem::path& root, const std::filesystem::path& path,
              std::vector<Include>* includes) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (const std::optional<std::string> header = HeaderOf(line)) {
      includes->push_back({path.lexically_relative(root).generic_string(), *header});
    }
  }
}

}  // namespace

std::vector<Include> ReadIncludes(const std::filesystem::path& root) {
  std::vector<Include> includes;
  for (const char* side : {"server", "client"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / side)) {
      const std::filesystem::path extension = entry.path().extension();
      if (extension == ".h" || extension == ".cc") ReadFile(root, entry.path(), &includes);
    }
  }
  return includes;
}

std::optional<std::string> Complaint(const Include& include) {
  return include.file.starts_with("server/") ? ServerComplaint(include) : ClientComplaint(include);
}

}  // namespace sluice_architecture
