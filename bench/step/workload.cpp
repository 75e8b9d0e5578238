#include "bench/step/workload.h"

#include <cstring>

#include "bench/step/load_workload.h"
#include "data/stain.h"
#include "data/synth.h"
#include "models/model.h"
#include "optim/optimizer.h"
#include "optim/trainer.h"
#include "optim/training_step.h"
#include "tensor/autograd.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/folded.h"
#include "tensor/random.h"

namespace karyon::bench {
namespace {

constexpr float learning_rate = 1e-4f;
constexpr int picture_side = 1000;

TrainConfig config_of(const WorkloadOptions& options) {
    TrainConfig config = preset("paper-b4");
    config.precision = options.precision;
    config.model.view = "local";
    config.model.decoder = "smp";
    config.model.padding = "symmetric";
    config.model.encoder_bn_eps = config.model.decoder_bn_eps = 1e-3;
    config.model.encoder_bn_momentum = config.model.decoder_bn_momentum = 0.1;
    config.model.skip_blocks = 0;
    config.model.tail = false;
    config.model.side_loss_weights.clear();
    config.model.drop_connect = 0;
    config.data.local = options.size;
    config.data.stain_normalise = false;
    config.optim.eps = 1e-4;  // by 1e-8 the first steps would be signs of gradients, however small these are
    config.optim.eps_placement = "pytorch";
    config.optim.ema_decay = config.optim.grad_clip = config.optim.bce_weight = config.optim.weight_decay = 0;
    return config;
}

std::filesystem::path weights_file(const WorkloadOptions& o) { return o.folder / "weights.safetensors"; }
std::filesystem::path inputs_file(const WorkloadOptions& o) { return o.folder / "inputs.safetensors"; }

Tensor read(const SafetensorsFile& file, const std::string& name) {
    const SafetensorsEntry& entry = file.entry(name);
    const Tensor tensor = Tensor::empty(entry.shape, entry.dtype);
    tensor.copy_from_bytes(file.bytes(entry));
    return tensor;
}

/// The weights are always those of the file, so that all programs compute the same.
class Network {
  public:
    explicit Network(const WorkloadOptions& options)
        : config_(config_of(options)), model_(describe(config_), config_.seed) {
        model_.load_state(SafetensorsFile::open(weights_file(options)), weights_file(options));
        const SafetensorsFile inputs = SafetensorsFile::open(inputs_file(options));
        batch_.local = read(inputs, "x");
        batch_.target = read(inputs, "target");
    }

  protected:
    TrainConfig config_;
    Model model_;
    Batch batch_;
};

class Training final : public Network, public Workload {
  public:
    explicit Training(const WorkloadOptions& options)
        : Network(options),
          optimizer_(model_.arena, {.eps = float(config_.optim.eps)}),
          step_(config_, model_, optimizer_) {}

    void run() override { loss_ = step_(batch_, learning_rate, index_++).loss; }
    std::vector<float> result() const override { return {loss_}; }

  private:
    Optimizer optimizer_;
    TrainingStep step_;
    std::int64_t index_ = 0;
    float loss_ = 0;
};

class Inference final : public Network, public Workload {
  public:
    explicit Inference(const WorkloadOptions& options) : Network(options) {}

    void run() override {
        const NoGrad no_grad;
        logits_ = model_.network(cast(batch_.local, precision_of(config_)), {}, {.folded = &folded_}).logits;
    }
    std::vector<float> result() const override {
        const auto values = logits_.span<float>();
        return {values.begin(), values.end()};
    }

  private:
    FoldedWeights folded_;
    Tensor logits_;
};

class Macenko final : public Workload {
  public:
    explicit Macenko(const WorkloadOptions& options) : image_(picture_side, picture_side) {
        const SafetensorsFile file = SafetensorsFile::open(inputs_file(options));
        const auto bytes = file.bytes("picture");
        std::memcpy(image_.pixels.data(), bytes.data(), bytes.size());
    }

    void run() override { normalised_ = normalise(image_, estimate_stains(image_), reference_stains()); }
    std::vector<float> result() const override { return {normalised_.pixels.begin(), normalised_.pixels.end()}; }

  private:
    Image image_, normalised_;
};

}  // namespace

void write_case(const WorkloadOptions& options) {
    std::filesystem::create_directories(options.folder);
    const TrainConfig config = config_of(options);
    const Model model(describe(config), config.seed);
    model.save(weights_file(options), model.arena.values(), model.arena.buffers());

    Random random(config.seed, 1);
    const std::int64_t side = options.size;
    const Tensor x = Tensor::empty({options.batch, side, side, 3});
    const Tensor target = Tensor::empty({options.batch, side, side, 1}, DType::u8);
    for (float& value : x.span<float>()) value = random.uniform() * 2 - 1;
    for (std::uint8_t& value : target.span<std::uint8_t>()) value = random.uniform() < 0.3f;
    SynthConfig synth;
    synth.width = synth.height = picture_side;
    const Image picture = make_synthetic(synth, config.seed).image;
    const SafetensorsItem items[] = {{"x", x.dtype(), x.shape(), x.raw()},
                                     {"target", target.dtype(), target.shape(), target.raw()},
                                     {"picture", DType::u8, {picture_side, picture_side, 3}, picture.pixels.data()}};
    write_safetensors(inputs_file(options), items);
}

std::unique_ptr<Workload> make_workload(const WorkloadOptions& options) {
    if (options.kind == "train") return std::make_unique<Training>(options);
    if (options.kind == "load") return make_loading(options);
    if (options.kind == "macenko") return std::make_unique<Macenko>(options);
    return std::make_unique<Inference>(options);
}

}  // namespace karyon::bench
