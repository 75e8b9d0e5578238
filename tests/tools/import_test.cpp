#include <doctest/doctest.h>

#include "data/image_io.h"
#include "tests/models/published_fixture.h"
#include "tests/tools/karyon.h"

using namespace karyon;
using namespace karyon::test;

namespace {

/// What a library would have saved, as a safetensors file.
void write_published(const std::string& fixture, const std::filesystem::path& path) {
    const Checkpoint checkpoint = PublishedFixture(fixture).checkpoint(path);
    std::vector<std::vector<float>> values;
    std::vector<SafetensorsItem> items;
    for (const CheckpointTensor& tensor : checkpoint.tensors()) {
        if (tensor.type != ElementType::f32) continue;
        values.emplace_back(std::size_t(element_count(tensor.shape)));
        tensor.read(values.back());
        items.push_back({tensor.name, DType::f32, tensor.shape, values.back().data()});
    }
    write_safetensors(path, items);
}

Image gradient(int size) {
    Image image(size, size);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = std::uint8_t(i * 37 % 251);
    return image;
}

}  // namespace

TEST_CASE("inspect, convert, classify: a published file is recognised, converted, and computes the same") {
    const Workplace place;
    write_published("timm-tf_b0", place / "tf_efficientnet_b0_ns.safetensors");
    const Outcome inspected = place.karyon("inspect tf_efficientnet_b0_ns.safetensors --json");
    REQUIRE_MESSAGE(inspected.status == 0, inspected.err);
    const auto json = inspected.json();
    CHECK(json["source"] == "timm-tf");
    CHECK(json["model"] == "efficientnet_b0");
    CHECK(json["parameters"] == 5'288'548);
    CHECK(json["missing"].empty());
    CHECK(json["unused"].empty());
    CHECK(json["padding"] == "same");
    CHECK(place.karyon("inspect tf_efficientnet_b0_ns.safetensors").out.find("source      timm-tf") !=
          std::string::npos);

    REQUIRE(place.karyon("convert tf_efficientnet_b0_ns.safetensors own.safetensors").status == 0);
    CHECK(place.karyon("inspect own.safetensors --json").json()["names"] == "karyon");
    write_png(place / "x.png", gradient(64));
    const Outcome before = place.karyon("classify tf_efficientnet_b0_ns.safetensors x.png --size 64 --json");
    REQUIRE_MESSAGE(before.status == 0, before.err);
    const Outcome after = place.karyon("classify own.safetensors x.png --size 64 --json");
    CHECK(before.out == after.out);
    CHECK(before.json()["images"][0]["classes"].size() == 5);

    std::filesystem::rename(place / "tf_efficientnet_b0_ns.safetensors", place / "model.safetensors");
    const Outcome unknown = place.karyon("convert model.safetensors other.safetensors");
    CHECK(unknown.status == 1);
    CHECK(unknown.err.find("Say --source timm or --source timm-tf") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(place / "other.safetensors"));
    CHECK(place.karyon("inspect model.safetensors --json").json()["candidates"].size() == 2);
    CHECK(place.karyon("convert model.safetensors other.safetensors --source timm").status == 0);
    CHECK(place.karyon("inspect model.safetensors --source nobody").status == 2);
}

TEST_CASE("train --init: a published encoder sets padding, eps and input scaling, and another size is refused") {
    const Workplace place;
    write_published("timm-tf_b0", place / "tf_efficientnet_b0_ap.safetensors");
    REQUIRE(place.karyon("synth --out data --images 4 --size 96").status == 0);
    const std::string common =
        "train --data data --split data/splits/train.txt --preset fast --init "
        "tf_efficientnet_b0_ap.safetensors --local 32 --margin 16 --batch 1 --epochs 1 "
        "--steps-per-epoch 1 --overlap 8 --padding symmetric --out ";
    const Outcome trained = place.karyon(common + "run");
    REQUIRE_MESSAGE(trained.status == 0, trained.err);
    CHECK(trained.err.find("from timm-tf-ap: padding same, batch norm eps 0.001, input half") != std::string::npos);
    const auto model = place.karyon("info run/best.safetensors --json").json()["metadata"]["karyon.model"];
    CHECK(model["network"]["padding"] == "same");
    CHECK(model["input"]["mean"][0] == 0.5);
    const Outcome refused = place.karyon(common + "other --encoder b4");
    CHECK(refused.status == 1);
    CHECK(refused.err.find("say --encoder b0") != std::string::npos);
}

TEST_CASE("a U-Net of smp is recognised, converted, run, and exported again") {
    const Workplace place;
    write_published("smp_b1", place / "unet.safetensors");
    const auto inspected = place.karyon("inspect unet.safetensors --json").json();
    CHECK(inspected["unet"] == "smp");
    CHECK(inspected["model"] == "efficientnet_b1");
    CHECK(inspected["padding_size"] == 240);
    CHECK(inspected["missing"].empty());
    REQUIRE(place.karyon("convert unet.safetensors own.safetensors").status == 0);
    write_png(place / "x.png", gradient(256));
    const Outcome predicted = place.karyon("predict --model own.safetensors --tta none --out masks x.png");
    CHECK_MESSAGE(predicted.status == 0, predicted.err);
    CHECK(std::filesystem::exists(place / "masks/x.mask.png"));

    CHECK(place.karyon("export own.safetensors unet.onnx --to onnx").status == 0);
    CHECK(std::filesystem::file_size(place / "unet.onnx") > 4 * 6'000'000);
    CHECK(place.karyon("export own.safetensors encoder.safetensors --to lukemelas").status == 0);
    CHECK(place.karyon("inspect encoder.safetensors --json").json()["source"] == "lukemelas");
    const Outcome refused = place.karyon("export own.safetensors timm.safetensors --to timm");
    CHECK(refused.status == 1);
    CHECK(refused.err.find("padding fixed for 240") != std::string::npos);
    CHECK(place.karyon("export own.safetensors x --to caffe").status == 2);
}
