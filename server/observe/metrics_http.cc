#include "server/observe/metrics_http.h"

#include <microhttpd.h>
#include <netdb.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <cstdarg>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/common/status_macros.h"

namespace sluiced::observe {
namespace {

constexpr int kMaxPort = 65535;
constexpr unsigned int kMaxConnections = 64;
constexpr unsigned int kTimeoutSeconds = 10;

struct Answer {
  unsigned int code = MHD_HTTP_OK;
  const char* type = "text/plain; charset=utf-8";
  std::string body;
};

Answer AnswerTo(absl::string_view method, absl::string_view path, const Metrics& metrics) {
  if (method != "GET" && method != "HEAD") {
    return {.code = MHD_HTTP_METHOD_NOT_ALLOWED, .body = "GET and HEAD only\n"};
  }
  if (path == "/metrics") {
    return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics.Text()};
  }
  if (path == "/healthz") return {.body = "alive\n"};
  if (path == "/readyz") {
    if (metrics.ready()) return {.body = "ready\n"};
    return {.code = MHD_HTTP_SERVICE_UNAVAILABLE, .body = "not serving\n"};
  }
  return {.code = MHD_HTTP_NOT_FOUND, .body = "here are /metrics, /healthz and /readyz\n"};
}

// A body that came with the request is not read: the connection ends with the answer.
MHD_Result Handle(void* metrics, MHD_Connection* connection, const char* url, const char* method,
                  const char* /*version*/, const char* /*upload_data*/,
                  size_t* /*upload_data_size*/, void** /*context*/) {
  Answer answer = AnswerTo(method, url, *static_cast<const Metrics*>(metrics));
  MHD_Response* response = MHD_create_response_from_buffer(answer.body.size(), answer.body.data(),
                                                           MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  if (answer.code == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, answer.code, response);
  MHD_destroy_response(response);
  return queued;
}

void LogFromHttp(void* /*nothing*/, const char* format, va_list arguments) {
  char text[256];
  std::vsnprintf(text, sizeof(text), format, arguments);
  spdlog::debug("metrics: {}", text);
}

struct Address {
  std::string host, port;
};

// HOST:PORT or [HOST]:PORT.
absl::StatusOr<Address> ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  int port = -1;
  const bool ok = colon != std::string::npos && colon > 0 &&
                  text.find_first_not_of("0123456789", colon + 1) == std::string::npos &&
                  absl::SimpleAtoi(text.substr(colon + 1), &port) && port <= kMaxPort;
  if (!ok) {
    return absl::InvalidArgumentError(
        absl::StrCat("--metrics-listen: '", text, "' is not HOST:PORT"));
  }
  Address address{text.substr(0, colon), text.substr(colon + 1)};
  if (address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  return address;
}

absl::Status NoSuchAddress(const std::string& text) {
  return absl::UnavailableError(
      absl::StrCat("cannot serve metrics on ", text,
                   ": no such address, or another process has it (see --metrics-listen)"));
}

class DaemonHttp : public MetricsHttp {
 public:
  explicit DaemonHttp(MHD_Daemon* daemon) : daemon_(daemon) {}
  ~DaemonHttp() override { MHD_stop_daemon(daemon_); }
  DaemonHttp(const DaemonHttp&) = delete;
  DaemonHttp& operator=(const DaemonHttp&) = delete;

  int port() const override {
    return MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port;
  }

 private:
  MHD_Daemon* const daemon_;
};

// One thread for all connections: a caller who dawdles keeps nobody waiting.
MHD_Daemon* StartDaemon(const addrinfo& at, const Metrics* metrics) {
  unsigned int flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
  if (at.ai_family == AF_INET6) flags |= MHD_USE_IPv6;
  // The logger first, so that it hears of the others.
  const MHD_OptionItem options[] = {
      {MHD_OPTION_CONNECTION_LIMIT, kMaxConnections, nullptr},
      {MHD_OPTION_CONNECTION_TIMEOUT, kTimeoutSeconds, nullptr},
      {MHD_OPTION_END, 0, nullptr},
  };
  return MHD_start_daemon(flags, 0, nullptr, nullptr, Handle, const_cast<Metrics*>(metrics),
                          MHD_OPTION_EXTERNAL_LOGGER, LogFromHttp, nullptr, MHD_OPTION_SOCK_ADDR,
                          at.ai_addr, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

}  // namespace

absl::Status MetricsHttp::CheckAddress(const std::string& address) {
  return ParseAddress(address).status();
}

absl::StatusOr<std::unique_ptr<MetricsHttp>> MetricsHttp::Start(const std::string& address,
                                                                const Metrics* metrics) {
  ASSIGN_OR_RETURN(const Address parts, ParseAddress(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &found) != 0) {
    return NoSuchAddress(address);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  // The first that can be had: a name may have one of a family that this machine lacks.
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (MHD_Daemon* daemon = StartDaemon(*at, metrics)) {
      return std::make_unique<DaemonHttp>(daemon);
    }
  }
  return NoSuchAddress(address);
}

}  // namespace sluiced::observe
