#include "client/cli/files/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "client/cli/files/files.h"

namespace sluice::cli {
namespace {

Code CodeOf(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermissionDenied;
    case ENOENT:
    case ENOTDIR:
      return Code::kNotFound;
    case EISDIR:
      return Code::kInvalidArgument;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Code::kResourceExhausted;
    default:
      return Code::kUnknown;
  }
}

Status CannotWrite(const std::string& path, int error) {
  return FileError(CodeOf(error), path, std::string("cannot be written: ") + std::strerror(error));
}

bool IsPlain(const std::string& path) {
  std::error_code ignored;
  const auto kind = std::filesystem::status(path, ignored).type();
  return kind == std::filesystem::file_type::regular ||
         kind == std::filesystem::file_type::not_found;
}

bool SyncDirectoryOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const int handle = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_CLOEXEC);
  if (handle < 0) return false;
  const bool synced = fsync(handle) == 0 || errno == EINVAL;
  close(handle);
  return synced;
}

}  // namespace

Result<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path, int mode) {
  using Made = std::unique_ptr<OutputFile>;
  if (path == "-") return Made(new OutputFile(path, "", STDOUT_FILENO));
  const std::string beside = IsPlain(path) ? path + ".part" + std::to_string(getpid()) : "";
  const int handle = open(beside.empty() ? path.c_str() : beside.c_str(),
                          O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (handle < 0) return CannotWrite(path, errno);
  return Made(new OutputFile(path, beside, handle));
}

OutputFile::OutputFile(std::string path, std::string beside, int handle)
    : path_(std::move(path)), beside_(std::move(beside)), handle_(handle) {
  if (!beside_.empty()) {
    remove_on_interrupt_.emplace(beside_, "\nsluice: interrupted; " + path_ + " was not written\n");
  }
}

OutputFile::~OutputFile() {
  Close();
  if (!committed_ && !beside_.empty()) unlink(beside_.c_str());
}

void OutputFile::Close() {
  if (handle_ > STDERR_FILENO) close(handle_);
  handle_ = -1;
}

Status OutputFile::Failed(int error) const { return CannotWrite(path_, error); }

Status OutputFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(handle_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed(errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status OutputFile::Sync() {
  synced_ = true;
  // Pipes and terminals have nothing to sync.
  if (fsync(handle_) != 0 && errno != EINVAL && errno != EROFS) return Failed(errno);
  return {};
}

Status OutputFile::Commit() {
  // Some file systems say only now that the disk is full.
  const int handle = std::exchange(handle_, -1);
  if (handle > STDERR_FILENO && close(handle) != 0) return Failed(errno);
  if (!beside_.empty() && std::rename(beside_.c_str(), path_.c_str()) != 0) return Failed(errno);
  committed_ = true;
  if (synced_ && !beside_.empty() && !SyncDirectoryOf(path_)) return Failed(errno);
  return {};
}

std::optional<uint64_t> OutputFile::RoomLeft() const {
  if (beside_.empty()) return std::nullopt;
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(beside_, error);
  if (error) return std::nullopt;
  return space.available;
}

}  // namespace sluice::cli
