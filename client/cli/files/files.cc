#include "client/cli/files/files.h"

#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

namespace sluice::cli {
namespace {

std::string ErrnoText() { return errno != 0 ? std::strerror(errno) : "input/output error"; }

Status WriteStream(std::ostream& out, const std::string& path, const std::string& bytes) {
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.flush();
  if (!out) return FileError(Code::kUnknown, path, "cannot be written: " + ErrnoText());
  return {};
}

Status WriteInPlace(const std::string& path, const std::string& bytes) {
  errno = 0;
  std::ofstream out(path, std::ios::binary);
  return WriteStream(out, path, bytes);
}

}  // namespace

Status FileError(Code code, const std::string& path, const std::string& what) {
  Status status;
  status.code = code;
  status.message = (path == "-" ? std::string("standard stream") : path) + ": " + what;
  return status;
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
  if (path == "-") return WriteStream(std::cout, path, bytes);
  std::error_code ignored;
  const auto kind = std::filesystem::status(path, ignored).type();
  const bool plain =
      kind == std::filesystem::file_type::regular || kind == std::filesystem::file_type::not_found;
  if (!plain) return WriteInPlace(path, bytes);
  const std::string beside = path + ".part" + std::to_string(getpid());
  Status status = WriteInPlace(beside, bytes);
  if (status.ok()) {
    std::error_code error;
    std::filesystem::rename(beside, path, error);
    if (!error) return status;
    status = FileError(Code::kUnknown, path, "cannot be written: " + error.message());
  }
  std::filesystem::remove(beside, ignored);
  if (!status.ok() && status.message.rfind(beside, 0) == 0) {
    status.message.replace(0, beside.size(), path);
  }
  return status;
}

std::string Ending(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  if (!ending.empty()) ending.erase(0, 1);
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending;
}

}  // namespace sluice::cli
