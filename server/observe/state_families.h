// What is known when somebody looks, as families of metrics.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

#include "server/observe/process_usage.h"
#include "server/observe/running_jobs.h"
#include "server/observe/server_state.h"

namespace sluiced::observe {

using MetricFamilies = std::vector<prometheus::MetricFamily>;

MetricFamilies FamiliesOf(const ServerState& state);
// Labels: the job and its model. Families without a job are left out.
MetricFamilies FamiliesOf(const std::vector<JobProgress>& jobs);
// Under the names that every exporter gives them.
MetricFamilies FamiliesOf(const ProcessUsage& usage);
prometheus::MetricFamily BuildInfoFamily(
    const std::vector<std::pair<std::string, std::string>>& labels);

}  // namespace sluiced::observe
