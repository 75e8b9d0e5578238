#pragma once

#include <nlohmann/json.hpp>

#include "bench/step/ceilings.h"

namespace karyon::bench {

/// What was measured of an op.
struct OpResult {
    OpCase op;
    std::size_t round = 0;  ///< of the ceilings, the one before it
    Samples ours, onednn;   ///< seconds of a call; onednn may be empty
    Samples ratio;          ///< onednn over ours, of samples that were taken one after the other

    bool noisy() const;
    std::string line(const Ceilings&) const;
    nlohmann::ordered_json json(const Ceilings&) const;
};

std::string header_line();
nlohmann::ordered_json json_of(const std::vector<OpResult>&, const Ceilings&);

}  // namespace karyon::bench
