#include "models/predictor.h"

#include <doctest/doctest.h>

#include <cmath>

#include "models/device_image.h"

using namespace karyon;

namespace {

const Device gpu{Device::Kind::cuda, 0};

/// Two stains in changing amounts, some glass, and an odd size.
Image stained(int width, int height) {
    Image image(width, height);
    const StainModel stains = StainModel::from_values({0.5f, 0.75f, 0.43f, 0.1f, 0.95f, 0.29f, 1, 1});
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const float h = std::max(0.0f, std::sin(0.3f * float(x)) + std::cos(0.21f * float(y))),
                        e = 0.6f + 0.5f * std::sin(0.11f * float(x + 2 * y));
            for (int c = 0; c < 3; ++c)
                image.at(x, y)[c] =
                    std::uint8_t(std::lround(255 * std::exp(-h * stains.stains[0][c] - e * stains.stains[1][c])));
        }
    return image;
}

}  // namespace

TEST_CASE("patches are cut and scaled on the GPU as on the CPU, and normalised to within a level") {
    const Image image = stained(45, 37);
    const InputScaling scaling;
    const DeviceImage::Corner corners[] = {{0, 0}, {-9, 20}, {30, -40}, {21, 13}};
    const auto compare = [&](const DeviceImage& on_device, const Image& expected_image, float tolerance) {
        for (const Border border : {Border::zero, Border::reflect}) {
            const Tensor got = on_device.cut(corners, 24, border, scaling, DType::f32).to(Device{});
            std::vector<float> expected(24 * 24 * 3);
            for (std::size_t i = 0; i < std::size(corners); ++i) {
                cut_patch(expected_image, corners[i].x, corners[i].y, 24, border, scaling, expected.data());
                float worst = 0;
                for (std::size_t k = 0; k < expected.size(); ++k)
                    worst = std::max(worst, std::abs(got.data<float>()[i * expected.size() + k] - expected[k]));
                CHECK(worst <= tolerance);
            }
        }
    };
    DeviceImage on_device(image, gpu);
    compare(on_device, image, 1e-6f);
    const StainModel source = estimate_stains(image), target = reference_stains();
    REQUIRE(source.fallback == nullptr);
    on_device.normalise(source, target);
    compare(on_device, normalise(image, source, target), 1.01f / (255 * 0.224f));
}

TEST_CASE("prediction on the GPU says what it says on the CPU") {
    const Image image = stained(45, 37);
    for (const bool normalises : {false, true}) {
        CAPTURE(normalises);
        ModelDescription description;
        description.network.encoder = "b0";
        description.network.local = 32;
        description.network.margin = 16;
        if (normalises) description.stain_target = reference_stains();
        const PredictOptions options{.overlap = 8, .augmentation = TestTimeAugmentation::none, .batch = 3};
        const auto probability = [&](Device device) {
            const Model model(description, 4, device);
            return Predictor(model)(image, options).values;
        };
        const std::vector<float> got = probability(gpu), expected = probability(Device{});
        REQUIRE(got.size() == expected.size());
        float worst = 0;
        for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - expected[i]));
        MESSAGE("largest difference of the probabilities: ", worst);
        CHECK(worst < (normalises ? 2e-2f : 1e-4f));
    }
}
