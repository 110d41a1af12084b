#pragma once

namespace attention::program {

/// While it lives, the first SIGINT or SIGTERM does not end the program but is kept in mind, for long work that can stop in good
/// order; the second ends it. Signals that are ignored (nohup) stay so. One at a time.
class StopRequest {
 public:
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  bool requested() const;
};

}  // namespace attention::program
