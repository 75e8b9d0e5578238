#include "optim/trainer.h"

#include <doctest/doctest.h>

#include <fstream>

#include "data/image_io.h"
#include "data/labels.h"
#include "data/synth.h"
#include "optim/training_data.h"
#include "tests/tensor/same_tensors.h"
#include "tests/tensor/temporary_folder.h"

using namespace karyon;

namespace {

/// A data folder of four small synthetic images of two organs.
struct SyntheticFolder {
    SyntheticFolder() {
        std::filesystem::create_directories(folder / "data/images");
        std::filesystem::create_directories(folder / "data/masks");
        std::ofstream split(folder / "split.txt");
        for (int i = 0; i < 4; ++i) {
            SynthConfig config;
            config.width = config.height = 96;
            const SynthImage image = make_synthetic(config, std::uint64_t(i));
            const std::string name = "image" + std::to_string(i);
            write_png(folder / ("data/images/" + name + ".png"), image.image);
            write_mask(folder / ("data/masks/" + name + ".png"), mask_of(image.labels));
            split << name << (i < 2 ? " A" : " B") << "\n";
        }
    }
    TrainPaths paths(const std::string& out) const { return {folder / "data", folder / "split.txt", folder / out, {}}; }

    TemporaryFolder folder;
};

TrainConfig tiny_config() {
    TrainConfig config = preset("fast");
    config.model.view = "local_global";
    config.model.drop_connect = 0.2;
    config.data.local = 32;
    config.data.margin = 16;
    config.augment.flip = config.augment.rot90 = true;
    config.optim.batch = 2;
    config.optim.epochs = 3;
    config.optim.steps_per_epoch = 2;
    config.optim.ema_decay = 0.9;
    config.predict.overlap = 0;
    return config;
}

struct Recorder : TrainObserver {
    void planned(const TrainPlan& p) override { plan = p; }
    void stepped(const StepRecord& record) override { steps.push_back(record); }
    void validated(const ValidationRecord& record) override { validations.push_back(record); }
    TrainPlan plan;
    std::vector<StepRecord> steps;
    std::vector<ValidationRecord> validations;
};

struct Stop {};
/// Leaves the run in the middle of an epoch, as a crash would.
struct Interrupter : Recorder {
    explicit Interrupter(std::int64_t at) : step(at) {}
    void stepped(const StepRecord& record) override {
        if (record.step == step) throw Stop();
    }
    std::int64_t step;
};

}  // namespace

TEST_CASE("train: the same seed gives the same bits, another seed others, and an interruption changes nothing") {
    const SyntheticFolder data;
    const TrainConfig config = tiny_config();
    Recorder recorder;
    const TrainResult result = train(config, data.paths("a"), false, recorder);
    CHECK(result.steps == 6);
    CHECK(recorder.plan.training_images == 2);
    CHECK(recorder.plan.validation_images == 2);
    CHECK(recorder.steps.size() == 6);
    CHECK(recorder.validations.size() == 3);
    CHECK(recorder.validations.back().epoch == 3);

    Recorder again;
    train(config, data.paths("b"), false, again);
    CHECK(same_tensors(data.folder / "a/last.safetensors", data.folder / "b/last.safetensors"));
    CHECK(same_tensors(data.folder / "a/best.safetensors", data.folder / "b/best.safetensors"));

    for (const std::int64_t step : {3, 5}) {  // in the middle of the second and of the third epoch
        const std::string out = "interrupted" + std::to_string(step);
        Interrupter interrupter(step);
        CHECK_THROWS_AS(train(config, data.paths(out), false, interrupter), Stop);
        Recorder resumed;
        train(config, data.paths(out), true, resumed);
        CHECK(resumed.plan.first_step == (step - 1) / 2 * 2);
        CHECK(same_tensors(data.folder / "a/last.safetensors", data.folder / (out + "/last.safetensors")));
        CHECK(same_tensors(data.folder / "a/best.safetensors", data.folder / (out + "/best.safetensors")));
    }

    TrainConfig other = config;
    other.seed = 2;
    Recorder seeded;
    train(other, data.paths("c"), false, seeded);
    CHECK_FALSE(same_tensors(data.folder / "a/last.safetensors", data.folder / "c/last.safetensors"));
}

TEST_CASE("train: a run is not overwritten, and resumed only with its own configuration") {
    const SyntheticFolder data;
    TrainConfig config = tiny_config();
    config.optim.epochs = 1;
    Recorder recorder;
    train(config, data.paths("run"), false, recorder);
    CHECK_THROWS_AS(train(config, data.paths("run"), false, recorder), Error);
    config.optim.lr = 0.5;
    CHECK_THROWS_WITH_AS(train(config, data.paths("run"), true, recorder), doctest::Contains("same configuration"),
                         Error);
    CHECK_THROWS_AS(train(config, data.paths("fresh"), true, recorder), Error);
}

TEST_CASE("train: a loss that is not finite stops the run and names a tensor") {
    const SyntheticFolder data;
    TrainConfig config = tiny_config();
    config.optim.lr = 1e30;
    config.optim.schedule = "constant";
    config.optim.warmup_steps = 0;
    Recorder recorder;
    CHECK_THROWS_WITH_AS(train(config, data.paths("run"), false, recorder),
                         doctest::Contains("the first tensor that is not finite is encoder.stem"), Error);
    CHECK_FALSE(std::filesystem::exists(data.folder / "run/last.safetensors"));
}

TEST_CASE("train: every view and side losses run; the weights of another run can be the start") {
    const SyntheticFolder data;
    for (const std::string view : {"local", "wide"}) {
        TrainConfig config = tiny_config();
        config.model.view = view;
        config.model.side_loss_weights = {0.1, 0.1, 0.2, 0.2};
        config.optim.epochs = 1;
        Recorder recorder;
        train(config, data.paths(view), false, recorder);
        CHECK(recorder.steps.size() == 2);
        TrainPaths paths = data.paths(view + "-again");
        paths.init = data.folder / (view + "/best.safetensors");
        train(config, paths, false, recorder);
    }
    TrainPaths paths = data.paths("mixed");
    paths.init = data.folder / "wide/best.safetensors";
    Recorder recorder;
    CHECK_THROWS_WITH_AS(train(tiny_config(), paths, false, recorder), doctest::Contains("first"), Error);
}

TEST_CASE("held-out images: one of every organ, the last fifth without organs, or those named") {
    Split split{.name = "s", .path = "s.txt", .entries = {{"a", "X", 1}, {"b", "Y", 2}, {"c", "X", 3}, {"d", "Y", 4}}};
    CHECK(held_out_names(split, {}) == std::vector<std::string>{"c", "d"});
    CHECK(held_out_names(split, {"a"}) == std::vector<std::string>{"a"});
    CHECK_THROWS_WITH_AS(held_out_names(split, {"z"}), doctest::Contains("validation image z"), Error);
    for (auto& entry : split.entries) entry.organ.clear();
    CHECK(held_out_names(split, {}) == std::vector<std::string>{"d"});
    split.entries.resize(1);
    CHECK(held_out_names(split, {}).empty());
}
