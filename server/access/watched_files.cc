#include "server/access/watched_files.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"

namespace sluiced::access {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;

class Descriptor {
 public:
  // O_NONBLOCK: a pipe without a writer would hold the server up for ever.
  explicit Descriptor(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status SystemError() { return absl::InvalidArgumentError(std::strerror(errno)); }

absl::StatusOr<std::string> ReadAll(int fd) {
  std::string text;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError();
    if (n == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(n));
    if (text.size() > kMaxBytes) return absl::InvalidArgumentError("larger than 1 MiB");
  }
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  const Descriptor file(path);
  struct stat status;
  if (file.get() < 0 || fstat(file.get(), &status) != 0) return SystemError();
  if (!S_ISREG(status.st_mode)) return absl::InvalidArgumentError("not a regular file");
  return ReadAll(file.get());
}

}  // namespace

std::string About(const NamedFile& file, absl::string_view what) {
  return absl::StrCat(file.option, " ", file.path, ": ", what);
}

WatchedFiles::WatchedFiles(std::vector<NamedFile> files, Take take)
    : files_(std::move(files)), take_(std::move(take)) {}

absl::Status WatchedFiles::Read() {
  ASSIGN_OR_RETURN(texts_, ReadTexts());
  ASSIGN_OR_RETURN(const std::string held, take_(texts_));
  spdlog::info("{}", About(files_.front(), held));
  return absl::OkStatus();
}

void WatchedFiles::Poll() {
  absl::StatusOr<std::vector<std::string>> texts = ReadTexts();
  if (!texts.ok()) return Complain(std::string(texts.status().message()));
  if (*texts == texts_) {
    // What could not be read is there again, and is what it was.
    complaint_.clear();
    settling_.clear();
    return;
  }
  if (*texts != settling_) {
    settling_ = *std::move(texts);
    return;
  }
  texts_ = *std::move(texts);
  const absl::StatusOr<std::string> held = take_(texts_);
  if (!held.ok()) return Complain(std::string(held.status().message()));
  complaint_.clear();
  spdlog::info("{}; read again", About(files_.front(), *held));
}

absl::StatusOr<std::vector<std::string>> WatchedFiles::ReadTexts() const {
  std::vector<std::string> texts;
  for (const NamedFile& file : files_) {
    absl::StatusOr<std::string> text = ReadSmallFile(file.path);
    if (!text.ok()) return absl::InvalidArgumentError(About(file, text.status().message()));
    texts.push_back(*std::move(text));
  }
  return texts;
}

void WatchedFiles::Complain(const std::string& what) {
  if (what == complaint_) return;
  complaint_ = what;
  spdlog::error("{}; what was read before stays in force", what);
}

}  // namespace sluiced::access
