#include "client/cli/files/files.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include "client/cli/files/output_file.h"

namespace sluice::cli {
namespace {

std::string ErrnoText() { return errno != 0 ? std::strerror(errno) : "input/output error"; }

}  // namespace

Status FileError(Code code, const std::string& path, const std::string& what) {
  return Failure(code, (path == "-" ? std::string("standard stream") : path) + ": " + what);
}

Result<std::string> ReadFile(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return FileError(Code::kInvalidArgument, path, "is a directory");
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return FileError(Code::kNotFound, path, ErrnoText());
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return FileError(Code::kUnknown, path, "cannot be read: " + ErrnoText());
  return bytes;
}

Status WriteFile(const std::string& path, const std::string& bytes) {
  const auto file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  Status status = (*file)->Write(bytes);
  return status.ok() ? (*file)->Commit() : status;
}

std::string Ending(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  if (!ending.empty()) ending.erase(0, 1);
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending;
}

}  // namespace sluice::cli
