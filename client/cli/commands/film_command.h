// `sluice plot film`.
#pragma once

#include <string>

#include "client/cli/context.h"

namespace sluice::cli {

struct FilmOptions {
  std::string model, job, dataset, context, out;
};

// The model learning: the snapshots of `job`, else of the latest version's job, else
// of the model's last job that has some, else the model's versions one by one.
void WriteFilm(Context& context, const FilmOptions& options);

}  // namespace sluice::cli
