// The three steps of every unary call: encode, call, decode.
#pragma once

#include <grpcpp/client_context.h>

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "client/src/stall_guard.h"
#include "client/src/status.h"
#include "sluice/result.h"

namespace sluice {

// One unary call with a deadline.
template <typename Interface, typename Request, typename Reply>
Result<Reply> Call(Interface& stub,
                   grpc::Status (Interface::*method)(grpc::ClientContext*, const Request&, Reply*),
                   const Request& request, std::chrono::milliseconds timeout) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + Sane(timeout));
  Reply reply;
  const grpc::Status status = (stub.*method)(&context, request, &reply);
  if (!status.ok()) return FromGrpc(status);
  return reply;
}

// `decode` of the reply, unless the call failed.
template <typename Reply, typename Decode>
auto Then(const Result<Reply>& reply, Decode decode)
    -> Result<std::invoke_result_t<Decode, const Reply&>> {
  if (!reply.ok()) return reply.status();
  return decode(*reply);
}

// Every item of a paged listing. `fetch` makes the call for one page, `items`
// picks the repeated field, `decode` makes the item's public type.
template <typename Request, typename Fetch, typename Items, typename Decode>
auto CollectPages(Request request, Fetch fetch, Items items, Decode decode) {
  using Page = std::remove_cvref_t<decltype(*fetch(request))>;
  using Item = std::remove_cvref_t<decltype(decode(*items(std::declval<const Page&>()).begin()))>;
  using Collected = Result<std::vector<Item>>;
  request.set_page_size(1000);
  std::vector<Item> all;
  while (true) {
    const auto page = fetch(request);
    if (!page.ok()) return Collected(page.status());
    for (const auto& item : items(*page)) all.push_back(decode(item));
    if (page->next_page_token().empty()) return Collected(std::move(all));
    if (page->next_page_token() == request.page_token()) {
      return Collected(MalformedReply("a listing that does not advance"));
    }
    request.set_page_token(page->next_page_token());
  }
}

}  // namespace sluice
