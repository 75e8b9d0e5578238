#include "models/import/initialise.h"
#include "tests/layers/reference_fixture.h"
#include "tests/models/published_fixture.h"
#include "tests/tensor/temporary_folder.h"

using namespace karyon;
using namespace karyon::test;

namespace {

PublishedEncoder encoder_at(const std::string& fixture, const std::string& path, const std::string& prefix = "") {
    return PublishedEncoder(PublishedFixture(fixture).checkpoint(path, prefix));
}

std::string source_at(const std::string& path) { return encoder_at("timm_b0", path).description().source; }

}  // namespace

TEST_CASE("recognition: the file's name tells timm's own weights from TensorFlow's, else the user must say") {
    CHECK(source_at("efficientnet_b0_ra-3dd342df.pth") == "timm");
    CHECK(source_at("tf_efficientnet_b0_aa-827b6e33.pth") == "timm-tf");
    CHECK(source_at("tf_efficientnet_b0_ap-f262efe1.pth") == "timm-tf-ap");
    CHECK(source_at("tf_efficientnet_b0.ap_in1k/model.safetensors") == "timm-tf-ap");
    const PublishedEncoder unknown = encoder_at("timm_b0", "model.safetensors");
    CHECK(unknown.candidates().size() == 2);
    CHECK_THROWS_WITH_AS(unknown.description(), doctest::Contains("--source timm or --source timm-tf"), Error);
}

TEST_CASE("recognition: padding, eps and input scaling follow from the source") {
    const auto ap = encoder_at("timm_b0", "tf_efficientnet_b0_ap-f262efe1.pth").description();
    CHECK(ap.network.padding == PaddingKind::same);
    CHECK(ap.network.batch_norm.eps == 1e-3f);
    CHECK(ap.scaling == half_scaling());
    const auto torchvision = encoder_at("torchvision_b0", "x.pth").description();
    CHECK(torchvision.network.padding == PaddingKind::symmetric);
    CHECK(torchvision.network.batch_norm.eps == 1e-5f);
    CHECK(torchvision.scaling == InputScaling{});
    CHECK(source_for(source_named("torchvision"), "b5").batch_norm.eps == 1e-3f);
    CHECK(encoder_at("lukemelas_b0", "adv-efficientnet-b0-b64d5a18.pth").description().scaling == half_scaling());
    CHECK(encoder_at("lukemelas_lite0", "x.pth").network().member == "lite0");
    CHECK(encoder_at("keras_b0", "x.h5").description().source == "keras");
    CHECK(encoder_at("qubvel_b0", "x.h5").description().source == "qubvel");
}

TEST_CASE("recognition: a prefix is found, and what is missing or of no use is named") {
    const PublishedEncoder wrapped = encoder_at("lukemelas_b0", "unet.pth", "module.encoder.");
    CHECK(wrapped.prefix() == "module.encoder.");
    CHECK(wrapped.missing().empty());

    const Checkpoint whole = PublishedFixture("torchvision_b0").checkpoint("x.pth");
    std::vector<CheckpointTensor> tensors = whole.tensors();
    tensors.erase(tensors.begin());
    tensors.push_back({"decoder.weight", ElementType::f32, {3}, {}});
    const auto swapped = std::find_if(tensors.begin(), tensors.end(),
                                      [](const auto& t) { return t.name == "features.1.0.block.0.0.weight"; });
    swapped->shape = {1, 32, 3, 3};
    tensors.push_back({"features.0.0.weight", ElementType::f32, {32, 3, 5, 5}, {}});
    const PublishedEncoder broken(Checkpoint("x.pth", "memory", tensors));
    CHECK(broken.network().member == "b0");
    CHECK(broken.unused() == std::vector<std::string>{"decoder.weight"});
    REQUIRE(broken.misshaped().size() == 2);
    CHECK(broken.misshaped()[0].find("features.0.0.weight: expected [32, 3, 3, 3]") == 0);
    CHECK_THROWS_WITH_AS(load_encoder(broken), doctest::Contains("2 of another shape"), Error);
}

TEST_CASE("recognition: other networks and contradicting hints are refused") {
    CHECK_THROWS_WITH_AS(PublishedEncoder(Checkpoint("x", "memory", {{"fc.weight", ElementType::f32, {3}, {}}})),
                         doctest::Contains("expected an EfficientNet"), Error);
    const PublishedFixture fixture("torchvision_b0");
    CHECK_THROWS_WITH_AS(PublishedEncoder(fixture.checkpoint("x.pth"), {"timm", 0}),
                         doctest::Contains("names of torchvision"), Error);
    CHECK_THROWS_WITH_AS(PublishedEncoder(fixture.checkpoint("x.pth"), {"", 380}), doctest::Contains("SAME"), Error);
    CHECK_THROWS_WITH_AS(source_named("tensorflow"), doctest::Contains("expected timm | timm-tf"), Error);
}

TEST_CASE("recognition: the listing of an encoder's tensors is what the network holds") {
    for (const std::string member : {"b0", "b3", "lite0", "lite4"}) {
        const EfficientNetOptions options{.member = member, .in_channels = 6, .head = true, .classes = 10};
        Random random(1);
        EfficientNet network(options, random);
        const std::vector<EncoderTensor> listed = encoder_tensors(options);
        std::size_t at = 0;
        network.visit("", [&](const std::string& name, Tensor& tensor, StateKind) {
            REQUIRE(at < listed.size());
            CHECK(listed[at].name == name);
            CHECK(listed[at++].shape == tensor.shape());
        });
        CHECK(at == listed.size());
    }
}

TEST_CASE("a converted checkpoint keeps the source's conventions and gives the same network") {
    const TemporaryFolder folder;
    const PublishedEncoder published = encoder_at("timm-tf_lite2", "tf_efficientnet_lite2-dcccb7df.pth");
    convert_encoder(published, folder / "model.safetensors");
    const PublishedEncoder own = PublishedEncoder::open(folder / "model.safetensors");
    CHECK(own.dialect() == Dialect::karyon);
    CHECK(to_json(own.description()) == to_json(published.description()));
    CHECK(own.description().scaling == half_scaling());
    for (const EncoderTensor& tensor : own.tensors()) {
        std::vector<float> a(std::size_t(element_count(tensor.shape))), b(a.size());
        published.read(tensor, a);
        own.read(tensor, b);
        CHECK(a == b);
    }
}

TEST_CASE("a U-Net of both views starts from the published stem, halved over each; another network is refused") {
    const PublishedEncoder encoder = encoder_at("lukemelas_b0", "x.pth");
    ModelDescription description;
    description.network = {.encoder = "b0", .view = View::local_global, .skip_blocks = 0, .local = 32, .margin = 16};
    const Model model(description, 1);
    initialise_encoder(encoder, model);
    int seen = 0;
    for (const Arena::Entry& entry : model.arena.entries()) {
        if (entry.name == "encoder.stem.weight") {
            std::vector<float> stem(32 * 27);
            encoder.read(encoder.tensors()[0], stem);
            const auto values = model.arena.part(model.arena.values(), entry).span<float>();
            CHECK(values[0] == stem[0] / 2);
            CHECK(values[3] == stem[0] / 2);
            CHECK(values[6 * 27 + 5] == stem[3 * 27 + 2] / 2);
            ++seen;
        }
        if (entry.name == "encoder.blocks.15.project_bn.running_mean") {
            std::vector<float> expected(320);
            fill_hashed(expected, "_blocks.15._bn2.running_mean", -0.2, 0.2);
            const auto values = model.arena.part(model.arena.buffers(), entry).span<float>();
            CHECK(std::equal(values.begin(), values.end(), expected.begin()));
            ++seen;
        }
    }
    CHECK(seen == 2);
    description.network.padding = PaddingKind::symmetric;
    CHECK_THROWS_WITH_AS(initialise_encoder(encoder, Model(description, 1)),
                         doctest::Contains("padding symmetric, as the network to train has it, found same"), Error);
}
