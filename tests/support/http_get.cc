#include "tests/support/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace sluice::testing {
namespace {

std::string Exchange(int socket, int port, const std::string& request) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return "";
  if (send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  std::string answer;
  char part[4096];
  for (ssize_t size = 0; (size = recv(socket, part, sizeof(part), 0)) > 0;) {
    answer.append(part, static_cast<size_t>(size));
  }
  return answer;
}

}  // namespace

HttpAnswer HttpGet(int port, const std::string& path, const std::string& method) {
  const int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const std::string text =
      Exchange(handle, port, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  close(handle);
  HttpAnswer answer;
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.headers = text.substr(0, end);
  answer.body = text.substr(end + 4);
  answer.code = std::atoi(text.c_str() + text.find(' '));
  return answer;
}

}  // namespace sluice::testing
