#include "client/cli/validators.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace sluice::cli {
namespace {

// "+7" and "007" are 7.
void Normalize(std::string& text) {
  size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  while (at + 1 < text.size() && text[at] == '0' && text[at + 1] >= '0' && text[at + 1] <= '9') {
    text.erase(at, 1);
  }
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.erase(0, 1);
}

template <typename T>
std::string ReadWhole(std::string& text, const char* kind) {
  Normalize(text);
  T value{};
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) return "'" + text + "' is out of range";
  if (error != std::errc() || next != end) return "'" + text + "' is not a " + kind;
  return "";
}

std::string ReadReal(std::string& text) {
  Normalize(text);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [next, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) return "'" + text + "' is out of range";
  const bool number = error == std::errc() && next == end && std::isfinite(value);
  return number ? "" : "'" + text + "' is not a number";
}

// Validators add to the type's name, after a colon.
std::string TypeOf(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));
}

void ReadStrictly(CLI::Option& option) {
  const std::string type = TypeOf(option);
  const auto read = [&option](std::string (*reader)(std::string&)) {
    // A transformation comes before the checks, and what it changes is what is read.
    option.transform(CLI::Validator(reader, ""));
  };
  if (type == "INT") {
    read([](std::string& text) { return ReadWhole<int64_t>(text, "whole number"); });
  } else if (type == "UINT") {
    read([](std::string& text) { return ReadWhole<uint64_t>(text, "whole number from 0 on"); });
  } else if (type == "FLOAT") {
    read(ReadReal);
  }
}

bool IsPort(std::string_view text) {
  int port = 0;
  const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && next == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool IsServerAddress(std::string_view text) {
  for (const std::string_view scheme : {"unix:", "unix-abstract:", "dns:", "ipv4:", "ipv6:"}) {
    if (text.substr(0, scheme.size()) == scheme) return text.size() > scheme.size();
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || !IsPort(text.substr(colon + 1))) {
    return false;
  }
  const std::string_view host = text.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']';
  return host.find_first_of("/ ") == std::string_view::npos &&
         (bracketed || host.find(':') == std::string_view::npos);
}

}  // namespace

void ReadNumbersStrictly(CLI::App& app) {
  for (CLI::Option* option : app.get_options({})) ReadStrictly(*option);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    ReadNumbersStrictly(*command);
  }
}

CLI::Validator AtLeastOne() {
  return CLI::Validator(
      [](std::string& text) {
        const bool positive = !text.empty() && text[0] != '-' && text != "0";
        return positive ? std::string() : "'" + text + "' is too few; at least 1";
      },
      "");
}

CLI::Validator ServerAddress() {
  return CLI::Validator(
      [](std::string& text) {
        return IsServerAddress(text) ? std::string()
                                     : "'" + text + "' is not HOST:PORT or unix:PATH";
      },
      "");
}

}  // namespace sluice::cli
