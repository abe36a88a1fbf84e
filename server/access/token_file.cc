#include "server/access/token_file.h"

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "server/common/status_macros.h"

namespace sluiced::access {

absl::StatusOr<std::unique_ptr<TokenFile>> TokenFile::Open(const std::string& path) {
  auto file = absl::WrapUnique(new TokenFile({.option = "--token-file", .path = path}));
  RETURN_IF_ERROR(file->file_.Read());
  return file;
}

TokenFile::TokenFile(const NamedFile& file)
    : file_({file},
            [this, file](const std::vector<std::string>& texts) -> absl::StatusOr<std::string> {
              absl::StatusOr<TokenTable> table = TokenTable::Parse(texts.front());
              if (!table.ok())
                return absl::InvalidArgumentError(About(file, table.status().message()));
              std::string held =
                  absl::StrCat(table->size(), table->size() == 1 ? " token" : " tokens");
              if (table->size() == 0) held = "no token, so that every call is refused";
              auto next = std::make_shared<const TokenTable>(*std::move(table));
              std::lock_guard<std::mutex> lock(mu_);
              table_ = std::move(next);
              return held;
            }) {}

std::shared_ptr<const TokenTable> TokenFile::table() const {
  std::lock_guard<std::mutex> lock(mu_);
  return table_;
}

}  // namespace sluiced::access
