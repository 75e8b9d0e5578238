#include <cstdlib>

#include "models/export/onnx.h"
#include "tensor/autograd.h"
#include "tests/models/hashed.h"
#include "tests/models/onnx_interpreter.h"

using namespace karyon;
using namespace karyon::test;

namespace {

/// A network whose running statistics are not those of a new one.
std::unique_ptr<Model> model_of(const UnetOptions& network) {
    ModelDescription description;
    description.network = network;
    description.threshold = 0.25f;
    auto model = std::make_unique<Model>(description, 7);
    for (const Arena::Entry& entry : model->arena.entries()) {
        if (entry.kind != StateKind::buffer) continue;
        const bool mean = entry.name.ends_with("running_mean");
        fill_hashed(model->arena.part(model->arena.buffers(), entry).span<float>(), entry.name, mean ? -0.1 : 0.5,
                    mean ? 0.1 : 1.5);
    }
    return model;
}

/// Levels of an image [1, side, side, 3], and the same ones as ONNX takes them.
struct Picture {
    std::vector<float> levels;
    OnnxTensor planes;
    Tensor scaled;

    Picture(const std::string& name, int side, const InputScaling& scaling)
        : levels(std::size_t(side * side * 3)), scaled(Tensor::empty({1, side, side, 3})) {
        // Waves under some noise: noise alone averages out on the way down, and its rest is mostly rounding.
        fill_hashed(levels, name, 0, 40);
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const auto c = float(i % 3), x = float(i / 3 % std::size_t(side)), y = float(i / 3 / std::size_t(side));
            levels[i] += 107 + 50 * std::sin(x / (9 + 7 * c)) + 50 * std::cos(y / (23 - 5 * c) + x / 40);
        }
        planes.shape = {1, 3, side, side};
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t i = 0; i < levels.size() / 3; ++i) planes.values.push_back(double(levels[3 * i + c]));
        for (std::size_t i = 0; i < levels.size(); ++i)
            scaled.data<float>()[i] = (levels[i] / 255 - scaling.mean[i % 3]) / scaling.std[i % 3];
    }
};

/// The largest difference of what the file computes from what the network does, relative to its largest logit.
double difference(const Model& model, const OnnxFile& file) {
    const UnetOptions& o = model.description.network;
    const Picture local("local", o.local, model.description.scaling),
        global("global", o.local + 2 * o.margin, model.description.scaling);
    std::map<std::string, OnnxTensor> given;
    if (o.view != View::wide) given.emplace("local", local.planes);
    if (o.view != View::local) given.emplace("global", global.planes);
    const auto computed = OnnxInterpreter(file).run(given);
    const NoGrad off;
    const Tensor logits = model
                              .network(o.view == View::wide ? Tensor() : local.scaled,
                                       o.view == View::local ? Tensor() : global.scaled, {})
                              .logits;
    const std::vector<double>&got = computed.at("logits").values, &probability = computed.at("probability").values;
    REQUIRE(got.size() == std::size_t(logits.size()));
    double worst = 0, most = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        worst = std::max(worst, std::abs(got[i] - double(logits.data<float>()[i])));
        most = std::max(most, std::abs(got[i]));
        CHECK(probability[i] == doctest::Approx(1 / (1 + std::exp(-got[i]))));
    }
    return worst / most;
}

/// For onnx_check.py of tests/reference: NAME.onnx, and NAME.safetensors with inputs as it takes them and logits.
void write_for_another_runtime(const std::filesystem::path& folder, const std::string& name, const Model& model) {
    const UnetOptions& o = model.description.network;
    const Picture local("local", o.local, model.description.scaling),
        global("global", o.local + 2 * o.margin, model.description.scaling);
    const NoGrad off;
    export_onnx(model, folder / (name + ".onnx"));
    const Tensor logits = model.network(local.scaled, global.scaled, {}).logits;
    std::vector<SafetensorsItem> items{{"logits", DType::f32, {1, 1, o.local, o.local}, logits.raw()}};
    std::vector<std::vector<float>> inputs;
    for (const Picture* picture : {&local, &global})
        inputs.emplace_back(picture->planes.values.begin(), picture->planes.values.end());
    if (o.view != View::wide) items.push_back({"local", DType::f32, local.planes.shape, inputs[0].data()});
    if (o.view != View::local) items.push_back({"global", DType::f32, global.planes.shape, inputs[1].data()});
    write_safetensors(folder / (name + ".safetensors"), items);
}

double difference_of(const UnetOptions& network) {
    const auto model = model_of(network);
    const std::string bytes = onnx_model(*model);
    return difference(*model, OnnxFile(bytes));
}

}  // namespace

TEST_CASE("export onnx: the file computes what the network computes, for every view, form and kind of block") {
    CHECK(difference_of({.encoder = "b0", .view = View::local, .skip_blocks = 0, .tail = false, .local = 32}) < 1e-4);
    CHECK(difference_of({.encoder = "b0", .local = 32, .margin = 16}) < 1e-4);
    CHECK(difference_of({.encoder = "b0",
                         .view = View::local,
                         .decoder = DecoderForm::keras,
                         .padding = PaddingKind::symmetric,
                         .local = 32}) < 1e-4);
    CHECK(difference_of({.encoder = "lite0", .view = View::wide, .local = 32, .margin = 16}) < 1e-4);
    CHECK(difference_of({.encoder = "lite0", .view = View::local, .padding_size = 380, .local = 32}) < 1e-4);
}

TEST_CASE("export onnx: inputs, outputs, versions and description") {
    const auto both = model_of({.encoder = "lite0", .local = 64, .margin = 16});
    const std::string bytes = onnx_model(*both);
    const OnnxFile file(bytes);
    CHECK(file.ir_version == 7);
    CHECK(file.opset == 13);
    CHECK(file.inputs.at("local") == std::vector<std::string>{"batch", "3", "64", "64"});
    CHECK(file.inputs.at("global") == std::vector<std::string>{"batch", "3", "96", "96"});
    CHECK(file.outputs.at("logits") == std::vector<std::string>{"batch", "1", "64", "64"});
    CHECK(file.outputs.at("probability") == std::vector<std::string>{"batch", "1", "64", "64"});
    CHECK(description_from_json(file.metadata.at(kDescriptionKey), "onnx").threshold == 0.25f);

    const std::string any = onnx_model(*model_of({.encoder = "lite0", .view = View::local, .local = 32}));
    CHECK(OnnxFile(any).inputs.at("local") == std::vector<std::string>{"batch", "3", "height", "width"});
}

TEST_CASE("export onnx: files for another runtime, where KARYON_ONNX_FOLDER names a folder for them") {
    const char *folder = std::getenv("KARYON_ONNX_FOLDER"), *trained = std::getenv("KARYON_ONNX_MODEL");
    if (!folder) return;
    if (trained) return write_for_another_runtime(folder, "trained", *Model::load(trained));
    write_for_another_runtime(folder, "b4_local_global", *model_of({.encoder = "b4"}));
    write_for_another_runtime(folder, "b4_wide", *model_of({.encoder = "b4", .view = View::wide}));
    write_for_another_runtime(folder, "b0_keras_local",
                              *model_of({.encoder = "b0", .view = View::local, .decoder = DecoderForm::keras}));
}
