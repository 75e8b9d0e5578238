#include "data/loader.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "kernels/error.h"

namespace karyon {
namespace {

/// Upper bits of the stream of random numbers, so that rounds and samples never share one.
constexpr std::uint64_t round_stream = std::uint64_t(1) << 62, sample_stream = std::uint64_t(2) << 62;

using Cases = std::shared_ptr<const std::vector<TrainingCase>>;

void check_all(const Cases& cases, const LoaderConfig& config, std::int64_t first_batch) {
    if (!cases || cases->empty()) throw Error("loader", "expected at least one image, got none");
    for (const TrainingCase& c : *cases) {
        if (c.image.width < 1 || c.image.height < 1)
            throw Error(c.name, "expected an image with pixels, got {}x{}", c.image.width, c.image.height);
        if (c.mask.width != c.image.width || c.mask.height != c.image.height)
            throw Error(c.name, "expected a mask of {}x{} as the image, got {}x{}", c.image.width, c.image.height,
                        c.mask.width, c.mask.height);
    }
    if (config.batch < 1) throw Error("loader", "batch: expected at least 1, got {}", config.batch);
    if (config.workers < 0) throw Error("loader", "workers: expected 0 or more, got {}", config.workers);
    if (config.prefetch < 1) throw Error("loader", "prefetch: expected at least 1, got {}", config.prefetch);
    if (first_batch < 0) throw Error("loader", "first batch: expected 0 or more, got {}", first_batch);
    check(config.geometry);
    check(config.augment);
}

/// Place `position` of the seeded order (Fisher-Yates) of that round.
std::size_t image_of(std::size_t images, std::uint64_t seed, std::int64_t sample) {
    std::vector<std::size_t> order(images);
    std::iota(order.begin(), order.end(), std::size_t(0));
    const std::size_t position = std::size_t(sample) % images;
    Random random(seed, round_stream | std::uint64_t(sample) / images);
    for (std::size_t i = 0; i <= position; ++i) std::swap(order[i], order[i + random.below(std::uint32_t(images - i))]);
    return order[position];
}

int uniform_corner(int image, int local, Random& random) {
    const std::uint32_t places = std::uint32_t(std::max(0, image - local)) + 1;
    const int corner = int(random.below(places));
    return image < local ? -((local - image) / 2) : corner;
}

}  // namespace

class Loader::Queue {
  public:
    Queue(Cases cases, const LoaderConfig& config, std::int64_t first)
        : cases_(std::move(cases)), config_(config), claimed_(first), delivered_(first), slots_(config.prefetch) {
        for (int i = 0; i < config.workers; ++i) workers_.emplace_back([this] { work(); });
    }

    ~Queue() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        space_.notify_all();
        for (std::thread& worker : workers_) worker.join();
    }

    Batch next() {
        if (config_.workers == 0) {
            Sampler sampler(config_.geometry, config_.scaling, config_.augment.stains);
            return *make(delivered_++, sampler);
        }
        std::unique_lock lock(mutex_);
        Slot& slot = slots_[std::size_t(delivered_) % slots_.size()];
        filled_.wait(lock, [&] { return slot.batch || slot.error; });
        if (slot.error) std::rethrow_exception(slot.error);
        Batch batch = std::move(*slot.batch);
        slot.batch.reset();
        ++delivered_;
        space_.notify_one();
        return batch;
    }

  private:
    struct Slot {
        std::optional<Batch> batch;
        std::exception_ptr error;
    };

    /// Nothing where the loader is being destroyed.
    std::optional<Batch> make(std::int64_t index, Sampler& sampler) const {
        const PatchGeometry& g = config_.geometry;
        const std::int64_t n = config_.batch, local = g.local, global = g.global();
        Batch batch;
        batch.index = index;
        const auto empty = [&](std::int64_t side, std::int64_t channels, DType type) {
            const Shape shape{n, side, side, channels};
            return config_.pinned ? Tensor::empty_pinned(shape, type) : Tensor::empty(shape, type);
        };
        batch.target = empty(local, 1, DType::u8);
        if (g.want_local) batch.local = empty(local, 3, DType::f32);
        if (g.want_global) batch.global = empty(global, 3, DType::f32);
        for (std::int64_t s = 0; s < n; ++s) {
            if (stop_) return std::nullopt;
            SampleViews views;
            if (g.want_local) views.local = batch.local.data<float>() + s * local * local * 3;
            if (g.want_global) views.global = batch.global.data<float>() + s * global * global * 3;
            views.target = batch.target.data<std::uint8_t>() + s * local * local;
            make_sample(index * n + s, sampler, views);
        }
        return batch;
    }

    void make_sample(std::int64_t sample, Sampler& sampler, const SampleViews& views) const {
        const TrainingCase& c = (*cases_)[image_of(cases_->size(), config_.seed, sample)];
        Random random(config_.seed, sample_stream | std::uint64_t(sample));
        const int x = uniform_corner(c.image.width, config_.geometry.local, random);
        const int y = uniform_corner(c.image.height, config_.geometry.local, random);
        sampler.sample(c.image, c.mask, x, y, draw_augmentation(config_.augment, random), views);
    }

    void work() {
        std::optional<Sampler> sampler;
        for (;;) {
            std::int64_t index;
            {
                std::unique_lock lock(mutex_);
                space_.wait(lock, [&] { return stop_ || claimed_ < delivered_ + std::int64_t(slots_.size()); });
                if (stop_) return;
                index = claimed_++;
            }
            Slot result;
            try {
                if (!sampler) sampler.emplace(config_.geometry, config_.scaling, config_.augment.stains);
                result.batch = make(index, *sampler);
            } catch (...) {
                result.error = std::current_exception();
            }
            {
                const std::lock_guard lock(mutex_);
                slots_[std::size_t(index) % slots_.size()] = std::move(result);
            }
            filled_.notify_all();
        }
    }

    const Cases cases_;
    const LoaderConfig config_;
    std::mutex mutex_;
    std::condition_variable space_, filled_;
    std::int64_t claimed_, delivered_;
    std::vector<Slot> slots_;
    std::atomic<bool> stop_ = false;
    std::vector<std::thread> workers_;
};

Loader::Loader(std::shared_ptr<const std::vector<TrainingCase>> cases, const LoaderConfig& config,
               std::int64_t first_batch) {
    check_all(cases, config, first_batch);
    queue_ = std::make_unique<Queue>(std::move(cases), config, first_batch);
}

Loader::~Loader() = default;

Batch Loader::next() { return queue_->next(); }

}  // namespace karyon
