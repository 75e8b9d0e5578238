#include "models/model.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "tests/tensor/temporary_folder.h"

using namespace karyon;

namespace {

ModelDescription tiny(View view = View::local_global) {
    ModelDescription description;
    description.network = {.encoder = "b0", .view = view, .skip_blocks = 0, .local = 32, .margin = 16};
    description.stain_target = reference_stains();
    description.organs = {"Breast", "Kidney"};
    description.trained_on = "some-split";
    description.threshold = 0.4f;
    return description;
}

}  // namespace

TEST_CASE("a model that was saved loads with its description and its bits") {
    const TemporaryFolder folder;
    const auto path = folder / "model.safetensors";
    const Model model(tiny(), 5);
    model.save(path, model.arena.values(), model.arena.buffers());
    const auto loaded = Model::load(path);
    CHECK(to_json(loaded->description) == to_json(model.description));
    const auto before = model.arena.values().span<float>(), after = loaded->arena.values().span<float>();
    CHECK(std::equal(before.begin(), before.end(), after.begin(), after.end()));
    CHECK(loaded->description.stain_target->values() == reference_stains().values());
}

TEST_CASE("a checkpoint of another architecture: the first missing, unexpected and mis-shaped tensors are named") {
    const TemporaryFolder folder;
    const auto path = folder / "local.safetensors";
    ModelDescription other = tiny(View::local);
    other.network.skip_blocks = 1;
    const Model saved(other, 1);
    saved.save(path, saved.arena.values(), saved.arena.buffers());

    ModelDescription wanted = tiny(View::local_global);
    wanted.network.side_outputs = true;
    Model model(wanted, 2);
    const Tensor before = model.arena.values().clone();
    try {
        model.load_state(SafetensorsFile::open(path), path);
        FAIL("expected an error");
    } catch (const Error& error) {
        const std::string text = error.what();
        CAPTURE(text);
        CHECK(text.find(path.string()) != std::string::npos);
        CHECK(text.find("first missing: side.0.weight") != std::string::npos);
        CHECK(text.find("first unexpected: decoder.skips.0.0.conv1.weight") != std::string::npos);
        CHECK(text.find("first mis-shaped: encoder.stem.weight, expected f32 [32, 3, 3, 6], found f32 [32, 3, 3, 3]") !=
              std::string::npos);
    }
    CHECK(std::equal(before.data<float>(), before.data<float>() + before.size(), model.arena.values().data<float>()));
}

TEST_CASE("files that are no model of karyon are told so") {
    const TemporaryFolder folder;
    const auto path = folder / "other.safetensors";
    const float one = 1;
    const SafetensorsItem item{"x", DType::f32, {1}, &one};
    write_safetensors(path, {&item, 1});
    CHECK_THROWS_WITH_AS(Model::load(path), doctest::Contains("expected a checkpoint of karyon"), Error);
    write_safetensors(path, {&item, 1}, {{kDescriptionKey, "{\"format\": 99}"}});
    CHECK_THROWS_WITH_AS(Model::load(path), doctest::Contains("expected model format 1, got 99"), Error);
    write_safetensors(path, {&item, 1}, {{kDescriptionKey, "{\"format\": 1}"}});
    CHECK_THROWS_WITH_AS(Model::load(path), doctest::Contains("expected the description of a model"), Error);
    write_safetensors(path, {&item, 1}, {{kDescriptionKey, "nonsense"}});
    CHECK_THROWS_AS(Model::load(path), Error);
}
