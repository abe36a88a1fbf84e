#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/store/sqlite_store_impl.h"

namespace sluiced::store {
namespace {

std::string NameOf(absl::string_view model) { return absl::StrCat("models/", model); }

void InsertLabels(Connection& c, const ModelRecord& model) {
  for (const auto& [key, value] : model.labels) {
    c.Execute("INSERT INTO labels (model, key, value) VALUES (?, ?, ?)", model.id, key, value);
  }
}

// A row of the view model_records, with its labels and aliases.
ModelRecord ReadModel(Connection& c, const Rows& row) {
  ModelRecord model;
  model.id = row.Text(0);
  model.spec_json = row.Text(1);
  model.description = row.Text(2);
  model.create_time = row.Time(3);
  model.latest_version = row.Int(4);
  Rows labels = c.Query("SELECT key, value FROM labels WHERE model = ?", model.id);
  while (labels.Next()) model.labels[labels.Text(0)] = labels.Text(1);
  Rows aliases = c.Query("SELECT alias, number FROM aliases WHERE model = ?", model.id);
  while (aliases.Next()) model.aliases[aliases.Text(0)] = aliases.Int(1);
  return model;
}

}  // namespace

absl::Status FindModel(Connection& c, absl::string_view id) {
  if (c.Exists("SELECT 1 FROM models WHERE id = ?", id)) return absl::OkStatus();
  return NotFound("model", NameOf(id));
}

absl::Status SqliteStore::CreateModel(const ModelRecord& model, const VersionRecord& version0,
                                      absl::string_view parameters) {
  return Write([&](Connection& c) -> absl::Status {
    if (FindModel(c, model.id).ok()) return AlreadyExists("model", NameOf(model.id));
    c.Execute("INSERT INTO models (id, spec, description, create_time) VALUES (?, ?, ?, ?)",
              model.id, model.spec_json, model.description, model.create_time);
    InsertLabels(c, model);
    VersionRecord version = version0;
    version.model = model.id;
    version.number = 0;
    InsertVersion(c, version, parameters);
    return absl::OkStatus();
  });
}

absl::StatusOr<ModelRecord> SqliteStore::GetModel(absl::string_view id) {
  return Read([&](Connection& c) -> absl::StatusOr<ModelRecord> {
    Rows rows = c.Query("SELECT * FROM model_records WHERE id = ?", id);
    if (!rows.Next()) return NotFound("model", NameOf(id));
    return ReadModel(c, rows);
  });
}

absl::StatusOr<std::vector<ModelRecord>> SqliteStore::ListModels(const Page& page) {
  return Read([&](Connection& c) -> absl::StatusOr<std::vector<ModelRecord>> {
    std::vector<ModelRecord> models;
    Rows rows = c.Query("SELECT * FROM model_records WHERE id > ? ORDER BY id LIMIT max(?, 0)",
                        page.after, page.limit);
    while (rows.Next()) models.push_back(ReadModel(c, rows));
    return models;
  });
}

absl::Status SqliteStore::UpdateModel(const ModelRecord& model) {
  return Write([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(FindModel(c, model.id));
    c.Execute("UPDATE models SET description = ? WHERE id = ?", model.description, model.id);
    c.Execute("DELETE FROM labels WHERE model = ?", model.id);
    InsertLabels(c, model);
    return absl::OkStatus();
  });
}

absl::Status SqliteStore::DeleteModel(absl::string_view id) {
  absl::Status deleted = Free([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(FindModel(c, id));
    Rows jobs = c.Query("SELECT id FROM jobs WHERE model = ? AND state < ? LIMIT 1", id,
                        static_cast<int>(JobState::kSucceeded));
    if (jobs.Next()) {
      return absl::FailedPreconditionError(absl::StrCat(NameOf(id), " is used by trainJobs/",
                                                        jobs.Text(0), ", which is not finished"));
    }
    c.Execute("DELETE FROM models WHERE id = ?", id);
    return absl::OkStatus();
  });
  if (deleted.ok()) ReleaseSpace();
  return deleted;
}

absl::Status SqliteStore::SetAlias(absl::string_view model, absl::string_view alias,
                                   int64_t version) {
  return Write([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(FindModel(c, model));
    if (!c.Exists("SELECT 1 FROM versions WHERE model = ? AND number = ?", model, version)) {
      return NotFound("version", absl::StrCat(NameOf(model), "/versions/", version));
    }
    c.Execute("INSERT OR REPLACE INTO aliases (model, alias, number) VALUES (?, ?, ?)", model,
              alias, version);
    return absl::OkStatus();
  });
}

absl::Status SqliteStore::DeleteAlias(absl::string_view model, absl::string_view alias) {
  return Write([&](Connection& c) -> absl::Status {
    RETURN_IF_ERROR(FindModel(c, model));
    if (c.Execute("DELETE FROM aliases WHERE model = ? AND alias = ?", model, alias) > 0) {
      return absl::OkStatus();
    }
    return NotFound("alias", absl::StrCat(NameOf(model), "/versions/", alias));
  });
}

}  // namespace sluiced::store
