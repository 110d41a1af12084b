#include "program/stop_request.hpp"

#include <array>
#include <csignal>

namespace attention::program {

namespace {

constexpr std::array signals{SIGINT, SIGTERM};
volatile std::sig_atomic_t stop_requested = 0;
std::array<struct sigaction, signals.size()> before;

void remember(int) { stop_requested = 1; }

}  // namespace

StopRequest::StopRequest() {
  stop_requested = 0;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    struct sigaction ours {};
    ours.sa_handler = remember;
    ours.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
    sigemptyset(&ours.sa_mask);
    sigaction(signals[i], nullptr, &before[i]);
    if (before[i].sa_handler != SIG_IGN) sigaction(signals[i], &ours, nullptr);
  }
}

StopRequest::~StopRequest() {
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before[i], nullptr);
}

bool StopRequest::requested() const { return stop_requested != 0; }

}  // namespace attention::program
