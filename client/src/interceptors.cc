#include "client/src/interceptors.h"

#include <map>
#include <utility>

namespace sluice {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;

// Makes an interceptor with what it was made with itself.
template <typename Made, typename Argument>
class Factory final : public ClientInterceptorFactoryInterface {
 public:
  explicit Factory(Argument argument) : argument_(std::move(argument)) {}
  Interceptor* CreateClientInterceptor(ClientRpcInfo* /*call*/) override {
    return new Made(argument_);
  }

 private:
  const Argument argument_;
};

using Header = std::pair<std::string, std::string>;

class HeaderSender final : public Interceptor {
 public:
  explicit HeaderSender(const Header& header) : header_(header) {}

  void Intercept(InterceptorBatchMethods* batch) override {
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      batch->GetSendInitialMetadata()->insert(header_);
    }
    batch->Proceed();
  }

 private:
  const Header& header_;  // The factory's, which lives as long as the channel.
};

class Refuser final : public Interceptor {
 public:
  explicit Refuser(const grpc::Status& status) : status_(status) {}

  void Intercept(InterceptorBatchMethods* batch) override {
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      batch->Hijack();
      return;
    }
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_RECV_MESSAGE)) {
      batch->FailHijackedRecvMessage();
    }
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_RECV_STATUS)) {
      *batch->GetRecvStatus() = status_;
    }
    batch->Proceed();
  }

 private:
  const grpc::Status& status_;
};

}  // namespace

InterceptorFactory SendToken(const std::string& token) {
  return std::make_unique<Factory<HeaderSender, Header>>(
      Header("authorization", "Bearer " + token));
}

InterceptorFactory SendTraceparent(const std::string& traceparent) {
  return std::make_unique<Factory<HeaderSender, Header>>(Header("traceparent", traceparent));
}

InterceptorFactory FailWith(const Status& status) {
  return std::make_unique<Factory<Refuser, grpc::Status>>(
      grpc::Status(static_cast<grpc::StatusCode>(status.code), status.message));
}

}  // namespace sluice
