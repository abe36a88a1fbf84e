// The maps of a column's support, for single numbers. No LibTorch here.
#pragma once

#include "server/flows/flow_spec.h"

namespace sluiced::flows {

// Whether the density at x is not 0 by the column's support alone, x as the flow's dtype
// holds it.
bool IsInside(const FlowSpec& spec, const Column& column, double x);

// Where the flow begins with x, which is inside.
double ToReal(const FlowSpec& spec, const Column& column, double x);

// Whether a column may be shifted and scaled before the flow: not one that has its place
// on the splines' box.
bool IsStandardized(const FlowSpec& spec, const Column& column);

}  // namespace sluiced::flows
