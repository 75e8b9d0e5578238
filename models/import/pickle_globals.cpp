#include <array>

#include "kernels/error.h"
#include "models/import/checkpoint.h"
#include "models/import/pickle.h"

namespace karyon {
namespace {

struct Allowed {
    std::string_view global;
    PickleCall call;
};

constexpr std::array<Allowed, 39> kAllowed{{{"collections OrderedDict", PickleCall::ordered_dict},
                                            {"torch._utils _rebuild_tensor_v2", PickleCall::tensor},
                                            {"torch._utils _rebuild_tensor", PickleCall::tensor},
                                            {"torch._utils _rebuild_parameter", PickleCall::first_argument},
                                            {"torch Size", PickleCall::first_argument},
                                            {"torch device", PickleCall::uninteresting},
                                            {"torch FloatStorage", PickleCall::refused},
                                            {"torch DoubleStorage", PickleCall::refused},
                                            {"torch HalfStorage", PickleCall::refused},
                                            {"torch BFloat16Storage", PickleCall::refused},
                                            {"torch LongStorage", PickleCall::refused},
                                            {"torch IntStorage", PickleCall::refused},
                                            {"torch ShortStorage", PickleCall::refused},
                                            {"torch CharStorage", PickleCall::refused},
                                            {"torch ByteStorage", PickleCall::refused},
                                            {"torch BoolStorage", PickleCall::refused},
                                            {"torch float32", PickleCall::refused},
                                            {"torch float64", PickleCall::refused},
                                            {"torch float16", PickleCall::refused},
                                            {"torch bfloat16", PickleCall::refused},
                                            {"torch int64", PickleCall::refused},
                                            {"torch int32", PickleCall::refused},
                                            {"torch int16", PickleCall::refused},
                                            {"torch int8", PickleCall::refused},
                                            {"torch uint8", PickleCall::refused},
                                            {"torch bool", PickleCall::refused},
                                            // The scores beside the weights are often numpy's.
                                            {"numpy dtype", PickleCall::uninteresting},
                                            {"numpy.core.multiarray scalar", PickleCall::uninteresting},
                                            {"numpy._core.multiarray scalar", PickleCall::uninteresting},
                                            {"numpy.dtypes Float64DType", PickleCall::uninteresting},
                                            {"numpy.dtypes Float32DType", PickleCall::uninteresting},
                                            {"numpy.dtypes Int64DType", PickleCall::uninteresting},
                                            {"numpy.dtypes Int32DType", PickleCall::uninteresting},
                                            {"numpy.dtypes BoolDType", PickleCall::uninteresting},
                                            // How protocol 2 writes byte strings.
                                            {"_codecs encode", PickleCall::uninteresting},
                                            {"builtins set", PickleCall::uninteresting},
                                            {"__builtin__ set", PickleCall::uninteresting},
                                            {"builtins complex", PickleCall::uninteresting},
                                            {"__builtin__ complex", PickleCall::uninteresting}}};

}  // namespace

PickleCall allowed_global(const std::string& file, std::string_view global) {
    for (const Allowed& allowed : kAllowed)
        if (allowed.global == global) return allowed.call;
    std::string dotted(global);
    if (const auto space = dotted.find(' '); space != std::string::npos) dotted[space] = '.';
    throw Error(
        file,
        "expected a state dict (tensors and plain values), found a pickle that asks for {}, which is refused: a "
        "pickle may run anything. Save model.state_dict() alone instead",
        shown(dotted));
}

}  // namespace karyon
