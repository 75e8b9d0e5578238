#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/cuda_stream.h"
#include "tests/kernels/reference.h"

/// One description of an op at one shape serves every check of its GPU kernels, and their profile.
namespace karyon::test {

using Doubles = std::vector<double>;

/// An array as an op takes it: its type on the device, its values in double, already rounded to that type.
struct Values {
    DType type = DType::f32;
    Doubles at;
    bool absent = false;  ///< a null pointer
};

/// Rounds every value to what the type can hold.
Values as_type(DType, Doubles);
Values uniform(DType, std::size_t count, std::uint64_t seed, float low = -1, float high = 1);
/// Small integers: where all sums stay below 2^24 (2^8 for a bf16 result) the result must be exact.
Values integers(DType, std::size_t count, std::uint64_t seed, int low = -3, int high = 3);
inline Values none(DType type = DType::f32) { return {type, {}, true}; }

/// An array that an op writes. `initial` is empty for `=` (it starts as NaN, so that what is not written shows) and
/// holds the values before the call for `+=`.
struct Result {
    DType type = DType::f32;
    std::size_t count = 0;
    Doubles initial;
    /// Allowed |got - expected| <= abs + rel * |expected|; both 0: exact.
    double rel = 0, abs = 0;
    bool absent = false;  ///< a null pointer: not wanted

    static Result of(DType type, std::size_t count, double rel, double abs) { return {type, count, {}, rel, abs}; }
    static Result added_to(const Values& initial, double rel, double abs) {
        return {initial.type, initial.at.size(), initial.at, rel, abs};
    }
};

struct OpCase {
    std::string name;  ///< op and shape, as failures and profiles show it
    std::vector<Values> inputs;
    std::vector<Result> results;
    /// Queues the op: device pointers in the order of `inputs` and `results`.
    std::function<void(kernels::CudaStream&, std::span<const kernels::In>, std::span<const kernels::Out>)> run;
    /// The same in double on the host: all results, from all inputs; what `+=` results hold before is added by check().
    std::function<std::vector<Doubles>(const std::vector<Doubles>& inputs)> reference;
};

/// Runs the op twice, each with fresh buffers that have guard bytes on both sides, and checks that: results agree with
/// the reference; both runs gave the same bits; no guard byte and no input changed; CUDA reports no error.
void check(const OpCase&);
/// The same as texts, one a failure, for what has to fail. An error of CUDA is thrown.
std::vector<std::string> failures(const OpCase&);
/// Runs the op once, without checks: what a profile counts is the op alone.
void run_only(const OpCase&);

/// What the kernels of a case do by design where that is more than cost() counts; 0: no more.
struct Design {
    double sector_bytes = 0;   ///< traffic without any cache: inputs that several tiles read
    double partial_bytes = 0;  ///< partial sums, written by one kernel and read by the next
    double flops = 0;          ///< all of them: tiles filled up with zeros, prologue and epilogue
};

/// A case at a shape of the real network, by name, made when it is asked for: `KARYON_NETWORK_CASES(add) { return
/// {...}; }` gives the cases of one op. `gpu_cases --list` and `gpu_cases --run NAME` find them; doctest does not run
/// them.
struct NetworkCase {
    std::string name;
    kernels::Cost cost;  ///< compulsory bytes and flops: what the profile is held against
    std::function<OpCase()> make;
    Design design = {};
};
std::vector<NetworkCase>& network_cases();

struct RegisterNetworkCases {
    explicit RegisterNetworkCases(std::vector<NetworkCase> cases) {
        for (NetworkCase& item : cases) network_cases().push_back(std::move(item));
    }
};
#define KARYON_NETWORK_CASES(op)                                                                             \
    static std::vector<karyon::test::NetworkCase> network_cases_of_##op();                                   \
    static const karyon::test::RegisterNetworkCases register_network_cases_of_##op{network_cases_of_##op()}; \
    static std::vector<karyon::test::NetworkCase> network_cases_of_##op()

}  // namespace karyon::test
