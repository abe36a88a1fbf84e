// Models, versions, aliases and datasets as resources: what is made is found, listed
// page by page, changed and gone.
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/test_server.h"

namespace sluiced::testing {
namespace {

TEST(Resources, ListingsComeInPages) {
  TestServer server;
  for (const char* id : {"a", "b", "c", "d", "e"}) MakeModel(server, id, 1);
  std::set<std::string> seen;
  int pages = 0;
  v1::ListModelsRequest request;
  request.set_page_size(2);
  do {
    grpc::ClientContext context;
    v1::ListModelsResponse page;
    ASSERT_TRUE(server.models->ListModels(&context, request, &page).ok());
    EXPECT_LE(page.models_size(), 2);
    for (const v1::Model& model : page.models()) EXPECT_TRUE(seen.insert(model.name()).second);
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_EQ(pages, 3);
}

TEST(Resources, AModelSaysWhatItIs) {
  TestServer server;
  MakeModel(server, "wow", 1);
  v1::GetModelRequest request;
  request.set_name("models/wow");
  grpc::ClientContext context;
  v1::Model model;
  ASSERT_TRUE(server.models->GetModel(&context, request, &model).ok());
  EXPECT_EQ(model.spec().architecture(), "real-nvp");
  EXPECT_EQ(model.spec().depth(), 2);
  EXPECT_EQ(model.spec().dtype(), v1::DTYPE_FLOAT32);
  EXPECT_EQ(model.latest_version(), 0);
  EXPECT_EQ(model.aliases().at("latest"), 0);
  EXPECT_GT(model.parameter_count(), 0);
  EXPECT_GT(model.create_time().seconds(), 1'500'000'000);
  EXPECT_FALSE(model.warnings().empty()) << "one dimension is an affine map";
}

TEST(Resources, AnUpdateChangesWhatItsMaskNames) {
  TestServer server;
  MakeModel(server, "wow", 2);
  const auto update = [&](const char* path, const char* description, const char* label) {
    v1::UpdateModelRequest request;
    request.mutable_model()->set_name("models/wow");
    request.mutable_model()->set_description(description);
    (*request.mutable_model()->mutable_labels())["team"] = label;
    request.mutable_update_mask()->add_paths(path);
    grpc::ClientContext context;
    v1::Model model;
    const grpc::Status status = server.models->UpdateModel(&context, request, &model);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return model;
  };
  EXPECT_EQ(update("description", "first", "x").labels_size(), 0);
  const v1::Model second = update("labels", "second", "y");
  EXPECT_EQ(second.description(), "first");
  EXPECT_EQ(second.labels().at("team"), "y");
}

TEST(Resources, AliasesNameVersions) {
  TestServer server;
  MakeModel(server, "wow", 2);
  v1::SetAliasRequest set;
  set.set_model("models/wow");
  set.set_alias("best");
  grpc::ClientContext set_context;
  v1::Model model;
  ASSERT_TRUE(server.models->SetAlias(&set_context, set, &model).ok());
  EXPECT_EQ(model.aliases().at("best"), 0);

  v1::GetVersionRequest get;
  get.set_name("models/wow/versions/best");
  grpc::ClientContext get_context;
  v1::Version version;
  ASSERT_TRUE(server.models->GetVersion(&get_context, get, &version).ok());
  EXPECT_EQ(version.name(), "models/wow/versions/0");
  EXPECT_EQ(version.source(), "initial");

  for (const char* alias : {"latest", "7", ""}) {
    set.set_alias(alias);
    grpc::ClientContext context;
    EXPECT_EQ(SeenBy(server.models->SetAlias(&context, set, &model)).field, "alias") << alias;
  }
  set.set_alias("best");
  set.set_version(9);
  grpc::ClientContext context;
  EXPECT_EQ(server.models->SetAlias(&context, set, &model).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST(Resources, WhatIsDeletedIsGone) {
  TestServer server;
  MakeModel(server, "wow", 2);
  v1::DeleteModelRequest request;
  request.set_name("models/wow");
  google::protobuf::Empty empty;
  grpc::ClientContext first, second;
  EXPECT_TRUE(server.models->DeleteModel(&first, request, &empty).ok());
  EXPECT_EQ(server.models->DeleteModel(&second, request, &empty).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1::SampleRequest sample;
  sample.set_model("models/wow");
  grpc::ClientContext context;
  v1::SampleResponse reply;
  EXPECT_EQ(server.inference->Sample(&context, sample, &reply).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST(Resources, ToysAndTargetsAreListed) {
  TestServer server;
  grpc::ClientContext toys_context, targets_context;
  v1::ListToysResponse toys;
  ASSERT_TRUE(server.datasets->ListToys(&toys_context, {}, &toys).ok());
  EXPECT_GT(toys.toys_size(), 0);
  v1::ListTargetsResponse targets;
  ASSERT_TRUE(server.training->ListTargets(&targets_context, {}, &targets).ok());
  for (const v1::Target& target : targets.targets()) {
    v1::EvaluateTargetRequest request;
    request.set_target(target.target());
    *request.mutable_x() = SmallNumbers(5, target.dim());
    grpc::ClientContext context;
    v1::EvaluateTargetResponse reply;
    const grpc::Status status = server.training->EvaluateTarget(&context, request, &reply);
    EXPECT_TRUE(status.ok()) << target.target() << ": " << status.error_message();
    EXPECT_EQ(reply.log_density().data().size(), 5 * sizeof(double));
  }
}

}  // namespace
}  // namespace sluiced::testing
