#include "server/rpc/file_source.h"

#include <utility>

namespace sluiced::rpc {
namespace {

class FileSource final : public Source<v1::FileChunk> {
 public:
  FileSource(std::string file, int64_t chunk_bytes)
      : file_(std::move(file)), chunk_bytes_(static_cast<size_t>(chunk_bytes)) {}

  absl::StatusOr<Next> Produce(Call& /*call*/, v1::FileChunk* chunk) override {
    if (sent_ == file_.size()) return Next::kEnd;
    chunk->set_data(file_.substr(sent_, chunk_bytes_));
    sent_ += chunk->data().size();
    return Next::kMessage;
  }

 private:
  const std::string file_;
  const size_t chunk_bytes_;
  size_t sent_ = 0;
};

}  // namespace

std::unique_ptr<Source<v1::FileChunk>> StreamFile(std::string file, int64_t chunk_bytes) {
  return std::make_unique<FileSource>(std::move(file), chunk_bytes);
}

}  // namespace sluiced::rpc
