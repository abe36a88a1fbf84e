// Models and versions to the wire.
#pragma once

#include "absl/status/status.h"
#include "server/flows/flow_spec.h"
#include "server/store/records.h"
#include "sluice/v1/model.pb.h"

namespace sluiced::rpc {

namespace v1 = ::sluice::v1;

void EncodeSpec(const flows::FlowSpec& spec, v1::FlowSpec* out);
// INTERNAL where the store holds what cannot be read.
absl::Status EncodeModel(const store::ModelRecord& model, v1::Model* out);
absl::Status EncodeVersion(const store::VersionRecord& version, const flows::FlowSpec& spec,
                           v1::Version* out);

}  // namespace sluiced::rpc
