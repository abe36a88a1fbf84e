// OutputFile: a file written piece by piece that is complete or absent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/cli/term/interrupt.h"
#include "sluice/result.h"

namespace sluice::cli {

// A regular file is written beside itself and takes its name in Commit; what was not
// committed is removed, by the destructor and by an interrupt. Stdout ("-"), devices
// and pipes are written in place. One at a time. Errors name the file.
class OutputFile {
 public:
  // `mode`: who may do what with a file that is made, but for the umask.
  static Result<std::unique_ptr<OutputFile>> Create(const std::string& path, int mode = 0666);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  Status Write(std::string_view bytes);
  // What was written outlives the machine's end, where it goes to a disk.
  Status Sync();
  // Nothing can be written afterwards. The name too outlives the machine's end after Sync.
  Status Commit();

  // Bytes that may still be written, where a disk sets a limit.
  std::optional<uint64_t> RoomLeft() const;

 private:
  OutputFile(std::string path, std::string beside, int handle);
  Status Failed(int error) const;
  void Close();

  const std::string path_;
  const std::string beside_;  // Empty where it is written in place.
  int handle_;
  std::optional<RemoveOnInterrupt> remove_on_interrupt_;
  bool synced_ = false;
  bool committed_ = false;
};

}  // namespace sluice::cli
