#include "bench/step/op_results.h"

#include <omp.h>

#include <cmath>

#include "bench/step/fma_peak.h"

namespace karyon::bench {
namespace {

constexpr double noise = 0.3;

double rounded(double value, int digits) {
    if (value == 0 || !std::isfinite(value)) return value;
    return std::stod(fmt::format("{:.{}g}", value, digits));
}

nlohmann::ordered_json ceiling(const char* what, const char* unit, const Samples& samples) {
    return {{"by", what},
            {"unit", unit},
            {"best", rounded(samples.best() * 1e-9, 4)},
            {"median", rounded(samples.median() * 1e-9, 4)},
            {"worst", rounded(samples.quantile(0) * 1e-9, 4)},
            {"first", rounded(samples.values.front() * 1e-9, 4)},
            {"last", rounded(samples.values.back() * 1e-9, 4)},
            {"rounds", samples.values.size()}};
}

}  // namespace

bool OpResult::noisy() const { return ours.spread() > noise; }

std::string header_line() {
    return fmt::format("{:28} {:24} {:22} {:4} {:>9} {:>6} {:>8} {:>6} {:>7} {:>8} {:>6}\n", "op", "layer", "shape",
                       "type", "ms", "spread", "GFLOP/s", "GB/s", "of roof", "oneDNN", "ratio");
}

std::string OpResult::line(const Ceilings& ceilings) const {
    const double seconds = ours.median();
    const std::string roof = noisy() ? "noisy" : fmt::format("{:.0f} %", 100 * ceilings.roof(op, round) / seconds);
    std::string text = fmt::format("{:28} {:24} {:22} {:4} {:9.3f} {:6.2f} {:8.1f} {:6.1f} {:>7}", op.op, op.layer,
                                   op.shape, name_of(op.type), seconds * 1e3, ours.spread(),
                                   op.cost.flops / seconds * 1e-9, op.cost.bytes / seconds * 1e-9, roof);
    if (!onednn.values.empty()) text += fmt::format(" {:8.3f} {:6.2f}", onednn.median() * 1e3, ratio.median());
    return text + '\n';
}

nlohmann::ordered_json OpResult::json(const Ceilings& ceilings) const {
    const double seconds = ours.median();
    nlohmann::ordered_json json = {{"op", op.op},
                                   {"layer", op.layer},
                                   {"shape", op.shape},
                                   {"type", name_of(op.type)},
                                   {"ms", rounded(seconds * 1e3, 4)},
                                   {"spread", rounded(ours.spread(), 2)},
                                   {"gflops", rounded(op.cost.flops / seconds * 1e-9, 4)},
                                   {"gbs", rounded(op.cost.bytes / seconds * 1e-9, 3)},
                                   {"bound", ceilings.memory_bound(op, round) ? "memory" : "arithmetic"},
                                   {"percent", nullptr},
                                   {"line_round_trip_ns", std::round(ceilings.round_trip.values[round] * 1e9)}};
    if (!noisy()) json["percent"] = rounded(100 * ceilings.roof(op, round) / seconds, 3);
    if (onednn.values.empty()) return json;
    json["onednn_ms"] = rounded(onednn.median() * 1e3, 4);
    json["onednn_ratio"] = rounded(ratio.median(), 3);
    json["onednn_ratio_spread"] = rounded(ratio.spread(), 2);
    return json;
}

nlohmann::ordered_json json_of(const std::vector<OpResult>& results, const Ceilings& ceilings) {
    nlohmann::ordered_json json = {
        {"threads", omp_get_max_threads()},
        {"ceilings",
         {{"f32", ceiling(multiply_add_name(Arithmetic::f32), "GFLOP/s", ceilings.f32)},
          {"bf16", ceiling(multiply_add_name(Arithmetic::bf16), "GFLOP/s", ceilings.bf16)},
          {"copy", ceiling("memcpy of 256 MiB, bytes read and written", "GB/s", ceilings.copy)}}},
        {"line_round_trip_ns",
         {{"low", std::round(ceilings.round_trip.quantile(0.05) * 1e9)},
          {"median", std::round(ceilings.round_trip.median() * 1e9)},
          {"high", std::round(ceilings.round_trip.quantile(0.95) * 1e9)}}},
        {"ops", nlohmann::ordered_json::array()}};
    for (const OpResult& result : results) json["ops"].push_back(result.json(ceilings));
    return json;
}

}  // namespace karyon::bench
