#include "models/local_global_unet.h"

#include <doctest/doctest.h>

#include <cmath>

#include "layers/arena.h"
#include "tensor/autograd.h"
#include "tensor/ops/folded.h"
#include "tensor/ops/loss.h"

using namespace karyon;

namespace {

UnetOptions small(View view, DecoderForm decoder) {
    return {.encoder = "b0",
            .view = view,
            .decoder = decoder,
            .drop_connect = 0,
            .side_outputs = true,
            .local = 64,
            .margin = 16};
}

struct Setup {
    explicit Setup(const UnetOptions& options)
        : random(3), net(options, random), arena([this](const StateVisitor& v) { net.visit("", v); }) {
        const std::int64_t local_side = options.local, global_side = options.local + 2 * options.margin;
        local = Tensor::empty({2, local_side, local_side, 3});
        global = Tensor::empty({2, global_side, global_side, 3});
        target = Tensor::empty({2, local_side, local_side, 1}, DType::u8);
        fill_normal(local.data<float>(), local.size(), 0, 1, 5, 1);
        fill_normal(global.data<float>(), global.size(), 0, 1, 5, 2);
        for (std::int64_t i = 0; i < target.size(); ++i) target.data<std::uint8_t>()[i] = random_word(5, 3, i) % 3 == 0;
    }

    Tensor loss() {
        const auto output = net(local, global, {.training = true});
        std::vector<Tensor> terms{jaccard_loss(output.logits, target), binary_cross_entropy(output.logits, target)};
        for (const Tensor& side : output.side) terms.push_back(jaccard_loss(side, target));
        return weighted_sum(terms, {1, 1, 0.3f, 0.3f, 0.3f, 0.3f});
    }

    Random random;
    LocalGlobalUnet net;
    Arena arena;
    Tensor local, global, target;
};

}  // namespace

TEST_CASE("LocalGlobalUnet: the gradient of all parameters is the slope of the loss along it") {
    for (const View view : {View::local, View::local_global, View::wide})
        for (const DecoderForm decoder : {DecoderForm::smp, DecoderForm::keras}) {
            CAPTURE(name_of(view));
            CAPTURE(name_of(decoder));
            Setup s(small(view, decoder));
            backward(s.loss());
            const Tensor gradient = s.arena.gradients().clone(), start = s.arena.values().clone();
            double squared = 0;
            for (const float g : gradient.span<float>()) squared += double(g) * g;
            REQUIRE(squared > 1e-6);

            // A step that moves the loss by about 1e-3: large against the rounding of an fp32 network, small against
            // its curvature.
            const double step = 1e-3 / squared;
            const NoGrad no_grad;
            const auto loss_at = [&](double distance) {
                for (std::int64_t i = 0; i < start.size(); ++i)
                    s.arena.values().data<float>()[i] =
                        float(start.data<float>()[i] + distance * gradient.data<float>()[i]);
                return double(s.loss().item());
            };
            const double slope = (loss_at(step) - loss_at(-step)) / (2 * step);
            CHECK(slope == doctest::Approx(squared).epsilon(0.05));
        }
}

TEST_CASE("LocalGlobalUnet: output shapes, and side outputs only while training") {
    Setup s(small(View::wide, DecoderForm::smp));
    const NoGrad no_grad;
    const auto training = s.net(Tensor(), s.global, {.training = true});
    CHECK(training.logits.shape() == Shape{2, 64, 64, 1});
    REQUIRE(training.side.size() == 4);
    CHECK(training.side[0].shape() == Shape{2, 64, 64, 1});
    CHECK(s.net(Tensor(), s.global, {}).side.empty());
}

TEST_CASE("LocalGlobalUnet: the second view matters exactly where there is one") {
    for (const View view : {View::local, View::local_global}) {
        Setup s(small(view, DecoderForm::smp));
        const NoGrad no_grad;
        const Tensor before = s.net(s.local, s.global, {}).logits;
        fill_normal(s.global.data<float>(), s.global.size(), 0, 1, 6, 2);
        const Tensor after = s.net(s.local, s.global, {}).logits;
        const bool same = std::equal(before.data<float>(), before.data<float>() + before.size(), after.data<float>());
        CHECK(same == (view == View::local));
    }
}

TEST_CASE("LocalGlobalUnet: two passes of training give the same bits") {
    Setup a(small(View::local_global, DecoderForm::smp)), b(small(View::local_global, DecoderForm::smp));
    for (Setup* s : {&a, &b}) backward(s->loss());
    const auto first = a.arena.gradients().span<float>(), second = b.arena.gradients().span<float>();
    CHECK(std::equal(first.begin(), first.end(), second.begin()));
}

TEST_CASE("LocalGlobalUnet: sizes that cannot work are named") {
    Random random(1);
    UnetOptions options{.encoder = "b0", .local = 100};
    CHECK_THROWS_WITH_AS(LocalGlobalUnet(options, random),
                         "[unet] expected local to be a positive multiple of 32, got 100", Error);
    options = {.encoder = "b0", .margin = 20};
    CHECK_THROWS_WITH_AS(LocalGlobalUnet(options, random), "[unet] expected margin to be a multiple of 16, got 20",
                         Error);
}

TEST_CASE("drop-connect drops whole images of the batch") {
    Random random(1), drop(7);
    MBConv::Options options;
    options.drop_connect = 0.5f;
    const MBConv block(options, random);
    Tensor noise = Tensor::empty({64, 3, 3, 8});
    fill_normal(noise.data<float>(), noise.size(), 0, 1, 9, 0);
    const Tensor z = block(noise, {.training = true, .random = &drop});
    int unchanged = 0;
    for (int n = 0; n < 64; ++n)
        unchanged += std::equal(z.data<float>() + n * 72, z.data<float>() + (n + 1) * 72, noise.data<float>() + n * 72);
    CHECK(unchanged > 20);
    CHECK(unchanged < 44);
}

TEST_CASE("LocalGlobalUnet: batch norms folded into the weights give the same logits, call after call") {
    for (const View view : {View::local, View::local_global})
        for (const DecoderForm decoder : {DecoderForm::smp, DecoderForm::keras})
            for (const char* encoder : {"b0", "lite0"}) {
                CAPTURE(name_of(view));
                CAPTURE(name_of(decoder));
                CAPTURE(encoder);
                UnetOptions options = small(view, decoder);
                options.encoder = encoder;
                Setup s(options);
                const NoGrad no_grad;
                for (int i = 0; i < 20; ++i) s.loss();  // running statistics that are not 0 and 1
                const Tensor expected = s.net(s.local, s.global, {}).logits;
                FoldedWeights folded;
                for (int call = 0; call < 2; ++call) {
                    const Tensor got = s.net(s.local, s.global, {.folded = &folded}).logits;
                    double worst = 0, largest = 0;
                    for (std::int64_t i = 0; i < got.size(); ++i) {
                        worst = std::max(worst, std::abs(double(got.data<float>()[i] - expected.data<float>()[i])));
                        largest = std::max(largest, std::abs(double(expected.data<float>()[i])));
                    }
                    CHECK(largest > 0.1);
                    CHECK(worst < 1e-4 * largest);
                }
            }
}
