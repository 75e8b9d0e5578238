#include "models/export/published_names.h"
#include "tests/models/published_fixture.h"
#include "tests/tensor/temporary_folder.h"

using namespace karyon;
using namespace karyon::test;

namespace {

PublishedEncoder encoder_at(const std::string& fixture, const std::string& path) {
    return PublishedEncoder(PublishedFixture(fixture).checkpoint(path));
}

/// The file has the names that the library itself saved, and the tensors of the encoder it was made from.
void check_exported(const PublishedEncoder& from, Dialect to, const std::string& source, const std::string& own) {
    CAPTURE(source);
    const TemporaryFolder folder;
    const auto path = folder / "exported.safetensors";
    CHECK(export_encoder(from, to, path).name == source);
    const PublishedEncoder exported = PublishedEncoder::open(path, {source, 0});
    CHECK(exported.dialect() == to);
    CHECK(exported.unused().empty());
    REQUIRE(exported.tensors().size() == from.tensors().size());
    for (const EncoderTensor& tensor : from.tensors()) {
        std::vector<float> a(std::size_t(element_count(tensor.shape))), b(a.size());
        from.read(tensor, a);
        exported.read(tensor, b);
        CHECK(a == b);
    }
    const Checkpoint published = PublishedFixture(own).checkpoint("x");
    for (const CheckpointTensor& tensor : exported.checkpoint().tensors()) {
        const CheckpointTensor* same = published.find(tensor.name);
        REQUIRE_MESSAGE(same, tensor.name);
        CHECK(same->shape == tensor.shape);
    }
}

}  // namespace

TEST_CASE("export: an encoder in the names of every library, with the values and shapes that it has there") {
    const PublishedEncoder tensorflow = encoder_at("timm-tf_b0", "tf_efficientnet_b0.pth");
    check_exported(tensorflow, Dialect::timm, "timm-tf", "timm_b0");
    check_exported(tensorflow, Dialect::lukemelas, "lukemelas", "lukemelas_b0");
    check_exported(tensorflow, Dialect::qubvel, "qubvel", "qubvel_b0");
    const PublishedEncoder torch = encoder_at("torchvision_b0", "efficientnet_b0.pth");
    check_exported(torch, Dialect::timm, "timm", "timm_b0");
    check_exported(torch, Dialect::torchvision, "torchvision", "torchvision_b0");
    check_exported(encoder_at("timm_lite0", "efficientnet_lite0.pth"), Dialect::timm, "timm", "timm_lite0");
}

TEST_CASE("export: a library whose network would compute something else is refused") {
    const PublishedEncoder tensorflow = encoder_at("timm-tf_b0", "tf_efficientnet_b0.pth");
    CHECK_THROWS_WITH_AS(export_encoder(tensorflow, Dialect::torchvision, "x"),
                         doctest::Contains("efficientnet_b0 that torchvision has, found one with same padding"), Error);
    CHECK_THROWS_WITH_AS(export_encoder(encoder_at("torchvision_b0", "x"), Dialect::qubvel, "x"),
                         doctest::Contains("symmetric padding"), Error);
    const PublishedEncoder lite = encoder_at("timm-tf_lite2", "tf_efficientnet_lite2.pth");
    CHECK_THROWS_AS(export_encoder(lite, Dialect::qubvel, "x"), Error);
    const PublishedEncoder sized(PublishedFixture("lukemelas_b4").checkpoint("x"), {"lukemelas", 380});
    CHECK_THROWS_WITH_AS(export_encoder(sized, Dialect::timm, "x"), doctest::Contains("fixed for 380"), Error);
}
