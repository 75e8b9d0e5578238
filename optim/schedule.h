#pragma once

#include <string>

namespace karyon {

enum class ScheduleKind : unsigned char { constant, cosine };

ScheduleKind parse_schedule(const std::string&);

/// Linear warm-up from 0 over the first steps, then constant, or half a cosine down to `floor` of the peak.
struct Schedule {
    ScheduleKind kind = ScheduleKind::constant;
    float peak = 1e-3f;
    double warmup = 0;  ///< share of the training, 0 ... 1
    double floor = 0;   ///< of the peak, at the end of the cosine

    /// `progress` is the share of the training that is done, 0 ... 1.
    float rate(double progress) const;
};

}  // namespace karyon
