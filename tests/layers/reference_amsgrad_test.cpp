#include "kernels/optim/amsgrad.h"
#include "tests/layers/reference_fixture.h"

using namespace karyon;
using namespace karyon::test;
using kernels::EpsPlacement;

namespace {

struct Difference {
    double step = 0, moments = 0;
};

/// The largest errors over three steps: of a parameter beyond its own rounding (half a unit in the last place a step),
/// as a part of the learning rate; and of m, v and vmax, as a part of each element.
Difference three_steps(const Reference& reference, const std::string& name, EpsPlacement placement) {
    kernels::AmsgradStep options;
    options.learning_rate = reference.option("lr");
    options.beta1 = reference.option("beta1");
    options.beta2 = reference.option("beta2");
    options.eps = reference.option("eps_" + name);
    options.placement = placement;

    const Tensor param = reference.tensor("start");
    options.count = param.size();
    const Tensor m = Tensor::zeros(param.shape()), v = m.clone(), vmax = m.clone();
    Difference worst;
    for (int t = 1; t <= 3; ++t) {
        options.step = t;
        kernels::Stream stream;
        kernels::cpu::amsgrad(stream, options, reference.tensor("grad." + std::to_string(t)), param, m, v, vmax);
        const auto expected = [&](const char* what) {
            return reference.tensor(name + "." + what + "." + std::to_string(t));
        };
        for (std::int64_t i = 0; i < param.size(); ++i) {
            const double wanted = expected("param").data<float>()[i];
            const double error =
                std::abs(double(param.data<float>()[i]) - wanted) - (t + 1) * 0x1p-24 * std::abs(wanted);
            worst.step = std::max(worst.step, error / double(options.learning_rate));
            for (const auto& [what, got] : {std::pair{"m", m}, {"v", v}, {"vmax", vmax}}) {
                const double moment = expected(what).data<float>()[i];
                const double off = std::abs(double(got.data<float>()[i]) - moment);
                if (off > 0) worst.moments = std::max(worst.moments, off / std::abs(moment));
            }
        }
    }
    return worst;
}

}  // namespace

TEST_CASE("reference: three AMSGrad steps agree with PyTorch's optimiser and with Keras' formula") {
    const Reference reference("amsgrad");
    for (const auto& [name, placement] :
         {std::pair{"pytorch", EpsPlacement::pytorch}, {"keras", EpsPlacement::keras}}) {
        CAPTURE(name);
        const Difference worst = three_steps(reference, name, placement);
        CHECK(worst.step < 2e-6);
        CHECK(worst.moments < 1e-6);
    }
}

TEST_CASE("reference: the steps tell one place of eps from the other") {
    const Reference reference("amsgrad");
    CHECK(three_steps(reference, "pytorch", EpsPlacement::keras).step > 1e-3);
    CHECK(three_steps(reference, "keras", EpsPlacement::pytorch).step > 1e-3);
}
