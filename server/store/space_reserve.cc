#include "server/store/space_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluiced::store {
namespace {

// Room for a checkpoint of SQLite's usual WAL (1000 pages) beside a deletion.
constexpr off_t kBytes = off_t{6} << 20;

}  // namespace

void SpaceReserve::Fill() {
  struct stat info {};
  if (stat(path_.c_str(), &info) == 0 && info.st_size == kBytes) return;
  const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  const bool filled = posix_fallocate(file, 0, kBytes) == 0;
  close(file);
  if (!filled) unlink(path_.c_str());
}

bool SpaceReserve::Release() { return unlink(path_.c_str()) == 0; }

}  // namespace sluiced::store
