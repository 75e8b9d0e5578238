#include "optim/config.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "kernels/error.h"
#include "optim/config_table.h"

using namespace karyon;

namespace {

std::string message_of(std::string_view toml) {
    TrainConfig config;
    const std::string before = to_toml(config);
    try {
        read_config_text(config, toml, "run.toml");
    } catch (const Error& failure) {
        CHECK(to_toml(config) == before);
        return failure.what();
    }
    return "accepted";
}

/// Another allowed value of the field, so that a round trip can lose nothing unseen.
void change(const Field& field) {
    const double number = std::isfinite(field.high) ? field.low + (field.high - field.low) / 4 : field.low + 3;
    std::visit(
        [&]<typename T>(T* value) {
            if constexpr (std::is_same_v<T, bool>)
                *value = !*value;
            else if constexpr (std::is_arithmetic_v<T>)
                *value = T(number);
            else if constexpr (std::is_same_v<T, std::vector<double>>)
                *value = {number, 0.1, 1};
            else if constexpr (std::is_same_v<T, std::vector<std::string>>)
                *value = {"a \"b\" \\", "c"};
            else
                *value = field.choices.empty() ? "text" : std::string(field.choices.back());
        },
        field.value);
}

}  // namespace

TEST_CASE("every field survives TOML and the command line") {
    TrainConfig changed;
    for (const Field& field : fields_of(changed)) change(field);
    TrainConfig read;
    read_config_text(read, to_toml(changed), "run.toml");
    CHECK(to_toml(read) == to_toml(changed));
    CHECK(read.data.validation == std::vector<std::string>{"a \"b\" \\", "c"});
    CHECK(read.optim.lr == changed.optim.lr);

    TrainConfig typed;
    const std::vector<Field> from = fields_of(changed), to = fields_of(typed);
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (std::holds_alternative<std::vector<std::string>*>(from[i].value)) continue;
        std::string text = from[i].text();
        std::erase_if(text, [](char c) { return c == '"' || c == '[' || c == ']' || c == ' '; });
        to[i].set_from_text(text, "command line");
        CHECK(to[i].text() == from[i].text());
    }
}

TEST_CASE("every field has its own flag, a help text, and a default that it allows") {
    std::set<std::string> flags;
    TrainConfig config;
    for (const Field& field : fields_of(config)) {
        CHECK_MESSAGE(flags.insert(field.flag()).second, field.flag());
        CHECK(field.help.size() > 5);
    }
    CHECK(flags.contains("--eps-placement"));
    for (const std::string& name : preset_names()) {
        CAPTURE(name);
        TrainConfig recipe = preset(name), read;
        CHECK(recipe.preset == name);
        CHECK_NOTHROW(check(recipe));
        CHECK_NOTHROW(read_config_text(read, to_toml(recipe), name));
        CHECK(to_toml(read) == to_toml(recipe));
    }
    CHECK_THROWS_WITH_AS(preset("bets"), "[preset] expected one of paper-b4, fast, best, got 'bets'", Error);
}

TEST_CASE("the paper's recipe is the paper's") {
    const TrainConfig config = preset("paper-b4");
    CHECK(config.model.encoder == "b4");
    CHECK(config.model.view == "local_global");
    CHECK(config.data.stain_normalise);
    CHECK(config.data.local == 256);
    CHECK(config.data.margin == 64);
    CHECK(config.optim.lr == 1e-3);
    CHECK(config.optim.batch == 8);
    CHECK(config.optim.epochs == 50);
    CHECK(config.optim.schedule == "constant");
    CHECK(config.optim.bce_weight == 0);
    CHECK(config.optim.ema_decay == 0);
    CHECK(config.optim.weight_decay == 0);
    CHECK(config.predict.threshold == 0.5);
    CHECK(config.predict.tta == "none");
}

TEST_CASE("a later source changes only what it names") {
    TrainConfig config = preset("fast");
    read_config_text(config, "seed = 7\n[optim]\nlr = 1\n[model]\nside_loss_weights = [1, 0.5]\n", "run.toml");
    CHECK(config.seed == 7);
    CHECK(config.optim.lr == 1);
    CHECK(config.model.encoder == "b0");
    CHECK(config.model.side_loss_weights == std::vector<double>{1, 0.5});
    read_config_text(config, "[model]\nside_loss_weights = []\n", "run.toml");
    CHECK(config.model.side_loss_weights.empty());
}

TEST_CASE("what is wrong in a config is named with file, line, key, expected and found") {
    CHECK(message_of("[optim]\n\nlr = 100\n") == "[run.toml:3] optim.lr: expected a number from 1e-09 to 10, got 100");
    CHECK(message_of("[optim]\nlr = 'high'") ==
          "[run.toml:2] optim.lr: expected a number from 1e-09 to 10, got \"high\"");
    CHECK(message_of("[optim]\nbatch = 2.5") ==
          "[run.toml:2] optim.batch: expected a whole number from 1 to 1024, got 2.5");
    CHECK(message_of("[optim]\nbatch = 4294967297") ==
          "[run.toml:2] optim.batch: expected a whole number from 1 to 1024, got 4294967297");
    CHECK(message_of("[model]\nencoder = 'b9'") ==
          "[run.toml:2] model.encoder: expected one of b0, b1, b2, b3, b4, b5, b6, b7, "
          "lite0, lite1, lite2, lite3, lite4, got \"b9\"");
    CHECK(message_of("[model]\ntail = 1") == "[run.toml:2] model.tail: expected true or false, got 1");
    CHECK(message_of("[model]\nside_loss_weights = [1, 'a']").starts_with("[run.toml:2] model.side_loss_weights: "));
    CHECK(message_of("[model]\nside_loss_weights = [1, 99]").starts_with("[run.toml:2] model.side_loss_weights: "));
    CHECK(message_of("seed = -1").starts_with("[run.toml:1] seed: expected a whole number of at least 0, got -1"));
    CHECK(message_of("[predict]\nblur = 1") ==
          "[run.toml:2] expected a key of [predict] (threshold, overlap, blend, tta), got 'blur'");
    CHECK(message_of("lr = 1").starts_with("[run.toml:1] expected a key of the top level or a section"));
    CHECK(message_of("optim = 1") == "[run.toml:1] optim: expected a section, got a value");
    CHECK(message_of("[optim]\nlr = nan").find("got nan") != std::string::npos);
    CHECK(message_of("[optim]\nlr = 2020-01-01").find("optim.lr: expected a number") != std::string::npos);
    CHECK(message_of("[optim]\nlr = \n").starts_with("[run.toml:2] expected TOML, got: "));
    CHECK(message_of("seed = 3") == "accepted");
}

TEST_CASE("fields that contradict each other are named") {
    TrainConfig config = preset("best");
    config.predict.overlap = config.data.local;
    CHECK_THROWS_WITH_AS(check(config), "[config] predict.overlap: expected less than data.local = 256, got 256",
                         Error);
    config = preset("best");
    config.data.local = 100;
    CHECK_THROWS_AS(check(config), Error);
    config = preset("best");
    config.model.side_loss_weights = {1};
    CHECK_THROWS_AS(check(config), Error);
}
