#include "server/store/backup_format.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/store/sqlite_schema.h"

namespace sluiced::store {
namespace {

// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr size_t kHeaderBytes = 100;
constexpr absl::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kPageSizeAt = 16;
constexpr size_t kWriteVersionAt = 18;
constexpr size_t kPageCountAt = 28;
constexpr size_t kUserVersionAt = 60;
constexpr size_t kApplicationIdAt = 68;
constexpr unsigned kWal = 2;  // As a write version.

using Header = std::array<unsigned char, kHeaderBytes>;

// Big-endian.
uint64_t NumberAt(const Header& header, size_t at, size_t bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; ++i) number = number << 8 | header[at + i];
  return number;
}

absl::Status NoBackup(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("is no backup of Sluice: ", why));
}

absl::Status CheckMark(const Header& header) {
  const absl::string_view magic(reinterpret_cast<const char*>(header.data()), kMagic.size());
  if (magic != kMagic) return NoBackup("not a database");
  if (NumberAt(header, kWriteVersionAt, 1) == kWal) {
    return NoBackup("a database that a server works on; `sluice backup` makes backups");
  }
  if (NumberAt(header, kApplicationIdAt, 4) != kApplicationId) {
    return NoBackup("another program's database");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBackupHeader(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::ErrnoToStatus(errno, "cannot be read");
  Header header{};
  in.read(reinterpret_cast<char*>(header.data()), kHeaderBytes);
  if (!in) return NoBackup("not a database");
  if (absl::Status marked = CheckMark(header); !marked.ok()) return marked;
  const uint64_t page_size = NumberAt(header, kPageSizeAt, 2);
  const uint64_t bytes = NumberAt(header, kPageCountAt, 4) * (page_size == 1 ? 65536 : page_size);
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(file, error);
  if (error || size != bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("is damaged: it has ", size, " of ", bytes, " bytes"));
  }
  return CheckFormat(static_cast<int64_t>(NumberAt(header, kUserVersionAt, 4)));
}

std::string DatabasePath(const std::string& data_dir) {
  return absl::StrCat(data_dir, "/sluice.db");
}
std::string CopyPath(const std::string& data_dir) { return absl::StrCat(data_dir, "/backup.tmp"); }
std::string RestorePath(const std::string& data_dir) {
  return absl::StrCat(data_dir, "/restore.tmp");
}

}  // namespace sluiced::store
