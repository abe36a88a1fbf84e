// What the tests of the Store interface share. A backend joins the contract by
// an entry in AllBackends().
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/store.h"
#include "tests/support/temp_dir.h"

namespace sluiced::store {

using sluice::testing::TempDir;

struct Backend {
  std::string name;
  // Opens what `dir` holds, once the store opened there before is gone.
  std::function<absl::StatusOr<std::unique_ptr<Store>>(const std::string& dir)> open;
};
std::vector<Backend> AllBackends();
std::string BackendName(const ::testing::TestParamInfo<Backend>& backend);

class StoreContract : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen();
  Store& store() { return *store_; }

 private:
  TempDir dir_;
  std::unique_ptr<Store> store_;
};

// Records with a value in every field that a caller sets.
ModelRecord SomeModel(const std::string& id);
VersionRecord SomeVersion(const std::string& model);
DatasetRecord SomeDataset(const std::string& id);
JobRecord SomeJob(const std::string& id, const std::string& model);
UpdateRecord SomeUpdate(int64_t sequence, JobState state = JobState::kRunning);

// Gives `chunks` one by one, then the end.
std::function<absl::StatusOr<std::string>()> Chunks(std::vector<std::string> chunks);

// For models and jobs that must exist: these fail the test where they cannot be made.
void MakeModel(Store& store, const std::string& id);
JobRecord MakeJob(Store& store, const std::string& id, const std::string& model);
void MoveJob(Store& store, const std::string& id, JobState state);

bool operator==(const ModelRecord& a, const ModelRecord& b);
bool operator==(const VersionRecord& a, const VersionRecord& b);
bool operator==(const DatasetRecord& a, const DatasetRecord& b);
bool operator==(const JobRecord& a, const JobRecord& b);
bool operator==(const UpdateRecord& a, const UpdateRecord& b);

}  // namespace sluiced::store
