#include "models/import/published_unet.h"
#include "tensor/autograd.h"
#include "tests/models/published_fixture.h"
#include "tests/tensor/temporary_folder.h"

using namespace karyon;
using namespace karyon::test;

namespace {

PublishedEncoder encoder_of(const std::string& fixture, const EncoderHints& hints = {}) {
    return PublishedEncoder(PublishedFixture(fixture).checkpoint("model.bin"), hints);
}

/// The largest difference of the logits from what the fixture's library computed, relative to the largest of them.
double worst_difference(const PublishedFixture& fixture, const Model& model) {
    const NoGrad off;
    double worst = 0;
    int sizes = 0;
    for (const SafetensorsEntry& entry : fixture.file().entries()) {
        if (!entry.name.starts_with("mask.")) continue;
        ++sizes;
        const std::string size = entry.name.substr(5);
        const Tensor x = Tensor::empty({1, std::stoi(size), std::stoi(size.substr(size.find('x') + 1)), 3});
        fill_hashed(x.span<float>(), "input " + size, -2, 2);
        const Tensor logits = model.network(x, {}, {}).logits;
        const auto got = logits.span<float>();
        const std::vector<float> wanted = fixture.values(entry.name);
        double most = 0, difference = 0;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            difference = std::max(difference, std::abs(double(got[i * 7919 % got.size()]) - double(wanted[i])));
            most = std::max(most, std::abs(double(wanted[i])));
        }
        worst = std::max(worst, difference / most);
    }
    CHECK(sizes == 2);
    return worst;
}

/// The fixture's checkpoint without the tensors whose names begin so, and with one more.
Checkpoint changed(const std::string& fixture, const std::string& dropped, const CheckpointTensor& added) {
    std::vector<CheckpointTensor> tensors = PublishedFixture(fixture).checkpoint("x").tensors();
    if (!dropped.empty())
        std::erase_if(tensors, [&](const CheckpointTensor& tensor) { return tensor.name.starts_with(dropped); });
    tensors.push_back(added);
    return Checkpoint("model.bin", "memory", std::move(tensors));
}

}  // namespace

TEST_CASE("published U-Nets: smp's and Keras' compute here what they compute there") {
    for (const std::string name : {"smp_b1", "smp_b4", "segmentation_b0"}) {
        CAPTURE(name);
        const PublishedFixture fixture(name);
        const PublishedEncoder encoder = encoder_of(name);
        const auto unet = PublishedUnet::find(encoder);
        REQUIRE(unet);
        CHECK(unet->missing().empty());
        CHECK(unet->misshaped().empty());
        CHECK(unet->unused().empty());
        CHECK(worst_difference(fixture, *unet->load()) < 1e-4);
    }
}

TEST_CASE("published U-Nets: form, padding and eps follow from the library; the file is kept as a model of karyon") {
    const PublishedEncoder smp = encoder_of("smp_b4");
    const UnetOptions o = PublishedUnet::find(smp)->description().network;
    CHECK(o.decoder == DecoderForm::smp);
    CHECK(o.padding_size == 380);
    CHECK(o.encoder_batch_norm.eps == 1e-3f);
    CHECK(o.decoder_batch_norm.eps == 1e-5f);
    const PublishedEncoder sized = encoder_of("smp_b4", {"", 256});
    CHECK(PublishedUnet::find(sized)->description().network.padding_size == 256);

    const PublishedEncoder keras = encoder_of("segmentation_b0");
    const auto unet = PublishedUnet::find(keras);
    CHECK(unet->description().network.decoder == DecoderForm::keras);
    CHECK(unet->description().network.padding_size == 0);
    CHECK(unet->description().network.decoder_batch_norm.eps == 1e-3f);

    const TemporaryFolder folder;
    const auto model = unet->load();
    model->save(folder / "unet.safetensors", model->arena.values(), model->arena.buffers());
    CHECK(worst_difference(PublishedFixture("segmentation_b0"), *Model::load(folder / "unet.safetensors")) < 1e-4);
}

TEST_CASE("published U-Nets: an encoder alone is none, and another decoder is refused") {
    const PublishedEncoder alone = encoder_of("lukemelas_b0");
    CHECK_FALSE(PublishedUnet::find(alone));
    const PublishedEncoder attention(
        changed("smp_b1", "", {"decoder.blocks.0.attention1.attention.cSE.1.weight", ElementType::f32, {27, 432}, {}}));
    CHECK_THROWS_WITH_AS(PublishedUnet::find(attention), doctest::Contains("expected the plain decoder"), Error);
    std::vector<CheckpointTensor> b0 = PublishedFixture("lukemelas_b0").checkpoint("x", "encoder.").tensors();
    b0.push_back({"decoder.blocks.0.conv1.0.weight", ElementType::f32, {256, 432, 3, 3}, {}});
    const PublishedEncoder early(Checkpoint("model.bin", "memory", b0));
    CHECK_THROWS_WITH_AS(PublishedUnet::find(early), doctest::Contains("U-Net on B1 to B7, found B0"), Error);
    const PublishedEncoder classes(changed("smp_b1", "segmentation_head.0.weight",
                                           {"segmentation_head.0.weight", ElementType::f32, {3, 16, 3, 3}, {}}));
    CHECK_THROWS_WITH_AS(PublishedUnet::find(classes)->load(),
                         doctest::Contains("segmentation_head.0.weight: expected [1, 16, 3, 3] of real numbers, "
                                           "found [3, 16, 3, 3]"),
                         Error);
    const PublishedEncoder shallow(changed("smp_b1", "decoder.blocks.4.", {"extra", ElementType::f32, {1}, {}}));
    const auto unet = PublishedUnet::find(shallow);
    CHECK(unet->missing().size() == 10);
    CHECK(unet->unused() == std::vector<std::string>{"extra"});
    CHECK_THROWS_WITH_AS(unet->load(), doctest::Contains("10 missing"), Error);
}
