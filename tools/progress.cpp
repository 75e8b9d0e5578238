#include "tools/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace karyon::tools {

std::string duration_text(double seconds) {
    const auto whole = std::int64_t(seconds + 0.5);
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

Progress::Progress(std::string unit, std::int64_t total, std::int64_t done, double plain_seconds)
    : unit_(std::move(unit)),
      total_(total),
      first_(done),
      done_(done),
      plain_seconds_(plain_seconds),
      terminal_(isatty(STDERR_FILENO)),
      start_(Clock::now()),
      last_(start_) {}

void Progress::update(std::int64_t done, std::string_view note) {
    done_ = done;
    const auto now = Clock::now();
    const double since = std::chrono::duration<double>(now - last_).count();
    if (since < (terminal_ ? 0.1 : plain_seconds_)) return;
    last_ = now;
    shown_ = terminal_;
    const std::string text = line(note);
    std::fputs(terminal_ ? ("\r\033[K" + text).c_str() : (text + "\n").c_str(), stderr);
    std::fflush(stderr);
}

std::string Progress::line(std::string_view note) const {
    std::string text = fmt::format("{} {}/{}", unit_, done_, total_);
    if (!note.empty()) text += fmt::format("  {}", note);
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    if (done_ <= first_ || seconds <= 0) return text;
    const double rate = double(done_ - first_) / seconds;
    text += rate >= 1 ? fmt::format("  {:.1f} {}s/s", rate, unit_) : fmt::format("  {:.2f} s/{}", 1 / rate, unit_);
    return text + fmt::format("  {} left", duration_text(double(total_ - done_) / rate));
}

void Progress::message(std::string_view line) {
    clear();
    fmt::print(stderr, "{}\n", line);
}

void Progress::clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
}

}  // namespace karyon::tools
