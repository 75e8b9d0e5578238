#pragma once

namespace karyon::bench {

/// Seconds that a cache line takes from one thread to another and back; 0 for one thread. Some ten nanoseconds where
/// the two cores share a cache, several times as much where they do not.
double line_round_trip();

}  // namespace karyon::bench
