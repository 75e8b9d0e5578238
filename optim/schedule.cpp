#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/error.h"

namespace karyon {

ScheduleKind parse_schedule(const std::string& text) {
    if (text == "constant") return ScheduleKind::constant;
    if (text == "cosine") return ScheduleKind::cosine;
    throw Error("schedule", "expected constant | cosine, got {}", text);
}

float Schedule::rate(double progress) const {
    progress = std::clamp(progress, 0.0, 1.0);
    if (progress < warmup) return float(peak * progress / warmup);
    if (kind == ScheduleKind::constant) return peak;
    const double done = warmup < 1 ? (progress - warmup) / (1 - warmup) : 1;
    return float(peak * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * done))));
}

}  // namespace karyon
