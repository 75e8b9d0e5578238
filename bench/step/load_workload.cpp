#include "bench/step/load_workload.h"

#include "data/loader.h"
#include "optim/config.h"
#include "optim/trainer.h"
#include "optim/training_data.h"

namespace karyon::bench {
namespace {

/// A loader works ahead while nobody asks, so every run has one of its own.
class Loading final : public Workload {
  public:
    explicit Loading(const WorkloadOptions& options) {
        const TrainConfig train = preset("best");
        const auto target = describe(train).stain_target;
        const TrainingData data =
            read_training_data(DataFolder(options.folder), read_split(options.split), {}, target ? &*target : nullptr);
        cases_ = data.training;
        config_.geometry.local = train.data.local;
        config_.geometry.margin = train.data.margin;
        config_.augment = train.augment;
        config_.batch = options.batch;
        config_.workers = 1;
    }

    void run() override {
        Loader loader(cases_, config_, first_);
        for (int i = 0; i < batches_a_run; ++i) last_ = loader.next();
        first_ += batches_a_run;
    }
    std::vector<float> result() const override {
        const auto values = last_.local.span<float>();
        return {values.begin(), values.end()};
    }

  private:
    std::shared_ptr<const std::vector<TrainingCase>> cases_;
    LoaderConfig config_;
    std::int64_t first_ = 0;
    Batch last_;
};

}  // namespace

std::unique_ptr<Workload> make_loading(const WorkloadOptions& options) { return std::make_unique<Loading>(options); }

}  // namespace karyon::bench
