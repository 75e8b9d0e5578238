#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace karyon::tools {

/// "41 s", "3 min 20 s", "2 h 05 min".
std::string duration_text(double seconds);

/// How far a task is, on standard error: one line that is written over with rate and time left on a terminal, a plain
/// line every `plain_seconds` otherwise.
class Progress {
  public:
    /// `unit` is singular: "image", "step". `done` > 0 where a task goes on from before.
    Progress(std::string unit, std::int64_t total, std::int64_t done = 0, double plain_seconds = 10);
    ~Progress() { clear(); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// `note` follows the count.
    void update(std::int64_t done, std::string_view note = "");
    /// A line of its own that stays, with the progress below it.
    void message(std::string_view line);
    /// Takes the progress line away.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;

    std::string line(std::string_view note) const;

    std::string unit_;
    std::int64_t total_, first_, done_;
    double plain_seconds_;
    bool terminal_, shown_ = false;
    Clock::time_point start_, last_;
};

}  // namespace karyon::tools
