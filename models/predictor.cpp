#include "models/predictor.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "models/device_image.h"
#include "tensor/autograd.h"
#include "tensor/ops/cast.h"
#include "tensor/ops/folded.h"

namespace karyon {

Mask threshold(const Probability& probability, float level) {
    Mask mask(probability.width, probability.height);
    std::transform(probability.values.begin(), probability.values.end(), mask.pixels.begin(),
                   [level](float p) { return std::uint8_t(p >= level); });
    return mask;
}

std::vector<int> tile_offsets(int size, int tile, int overlap) {
    std::vector<int> offsets{0};
    while (offsets.back() + tile < size) offsets.push_back(std::min(offsets.back() + tile - overlap, size - tile));
    return offsets;
}

namespace {

/// One of the eight turns and flips of a rectangle: `code` bit 0 mirrors columns, bit 1 mirrors rows, bit 2 swaps them.
struct Dihedral {
    int code, width, height;  ///< of the untouched rectangle

    int out_width() const { return code & 4 ? height : width; }
    int out_height() const { return code & 4 ? width : height; }
    /// Where in the untouched rectangle the pixel (x, y) of the turned one comes from, row by row.
    std::size_t source(int x, int y) const {
        if (code & 4) std::swap(x, y);
        if (code & 1) x = width - 1 - x;
        if (code & 2) y = height - 1 - y;
        return std::size_t(y) * width + x;
    }
};

Image turned(const Image& image, const Dihedral& turn) {
    Image out(turn.out_width(), turn.out_height());
    for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x) std::copy_n(&image.pixels[3 * turn.source(x, y)], 3, out.at(x, y));
    return out;
}

/// Weights along one side of a tile. Sigma of an eighth of the tile is nnU-Net's choice; the floor keeps pixels that
/// only one tile covers, near the image's own border, from dividing by next to nothing.
std::vector<float> tile_weights(int tile, bool gaussian) {
    std::vector<float> weights(tile, 1.0f);
    if (!gaussian) return weights;
    const float centre = 0.5f * float(tile - 1), sigma = float(tile) / 8;
    for (int i = 0; i < tile; ++i) {
        const float distance = (float(i) - centre) / sigma;
        weights[i] = std::max(std::exp(-0.5f * distance * distance), 1e-3f);
    }
    return weights;
}

struct Tile {
    int x, y;
};

/// The weighted sums of what all tiles say about every pixel, and the sums of the weights.
class Blend {
  public:
    Blend(int width, int height, int tile, bool gaussian)
        : width_(width),
          height_(height),
          tile_(tile),
          weights_(tile_weights(tile, gaussian)),
          sums_(std::size_t(width) * height),
          norms_(sums_.size()) {}

    void add(Tile at, const float* logits) {
        for (int y = 0; y < std::min(tile_, height_ - at.y); ++y)
            for (int x = 0; x < std::min(tile_, width_ - at.x); ++x) {
                const std::size_t pixel = std::size_t(at.y + y) * width_ + at.x + x;
                const float weight = weights_[y] * weights_[x];
                sums_[pixel] += weight / (1.0f + std::exp(-logits[y * tile_ + x]));
                norms_[pixel] += weight;
            }
    }

    std::vector<float> result() && {
        for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] /= norms_[i];
        return std::move(sums_);
    }

  private:
    int width_, height_, tile_;
    std::vector<float> weights_, sums_, norms_;
};

/// Tiles of one image, forward pass by forward pass. On a GPU they are cut there, of the image as it was read.
class TilePass {
  public:
    TilePass(const Model& model, FoldedWeights& folded, const Image& image, const std::optional<StainModel>& stains,
             const PredictOptions& options)
        : model_(model), folded_(folded), image_(image), options_(options), tile_(model.description.network.local) {
        if (model.device().kind == Device::Kind::cuda) {
            on_device_.emplace(image, model.device());
            if (stains) on_device_->normalise(*stains, *model.description.stain_target);
        }
        geometry_.local = tile_;
        geometry_.margin = model.description.network.margin;
        geometry_.want_local = model.network.wants_local();
        geometry_.want_global = model.network.wants_global();
        for (const int y : tile_offsets(image.height, tile_, options.overlap))
            for (const int x : tile_offsets(image.width, tile_, options.overlap)) tiles_.push_back({x, y});
    }

    int count() const { return int(tiles_.size()); }

    std::vector<float> run(const std::function<void(int)>& done) {
        Blend blend(image_.width, image_.height, tile_, options_.gaussian);
        for (std::size_t first = 0; first < tiles_.size(); first += options_.batch) {
            const std::size_t count = std::min<std::size_t>(options_.batch, tiles_.size() - first);
            const Tensor logits = forward(std::span(tiles_).subspan(first, count));
            for (std::size_t i = 0; i < count; ++i)
                blend.add(tiles_[first + i], logits.data<float>() + i * std::size_t(tile_) * tile_);
            done(int(count));
        }
        return std::move(blend).result();
    }

  private:
    Tensor forward(std::span<const Tile> tiles) const {
        const Tensor local = geometry_.want_local ? views(tiles, tile_, 0, Border::reflect) : Tensor();
        const Tensor global =
            geometry_.want_global ? views(tiles, geometry_.global(), geometry_.margin, Border::zero) : Tensor();
        return model_.network(local, global, {.folded = &folded_}).logits.to(Device{});
    }

    /// [tiles, size, size, 3] as the network takes it: the tiles and `margin` pixels around them.
    Tensor views(std::span<const Tile> tiles, int size, int margin, Border border) const {
        const InputScaling& scaling = model_.description.scaling;
        if (on_device_) {
            std::vector<DeviceImage::Corner> corners;
            for (const Tile& at : tiles) corners.push_back({at.x - margin, at.y - margin});
            return on_device_->cut(corners, size, border, scaling, options_.precision);
        }
        const Tensor view = Tensor::empty({std::int64_t(tiles.size()), size, size, 3});
        float* out = view.data<float>();
        for (const Tile& at : tiles) {
            cut_patch(image_, at.x - margin, at.y - margin, size, border, scaling, out);
            out += std::size_t(size) * size * 3;
        }
        return cast(view, options_.precision);
    }

    const Model& model_;
    FoldedWeights& folded_;
    const Image& image_;
    PredictOptions options_;
    int tile_;
    PatchGeometry geometry_;
    std::vector<Tile> tiles_;
    std::optional<DeviceImage> on_device_;
};

}  // namespace

Predictor::Predictor(const Model& model) : model_(model), folded_(std::make_unique<FoldedWeights>()) {}

Predictor::~Predictor() = default;

PreparedImage Predictor::prepare(Image image) const {
    if (image.width < 1 || image.height < 1)
        throw Error("predict", "expected an image of at least 1x1 pixels, got {}x{}", image.width, image.height);
    PreparedImage prepared;
    if (const auto& target = model_.description.stain_target) {
        prepared.stains = estimate_stains(image);
        if (prepared.stains->fallback) prepared.warning = prepared.stains->fallback;
        if (model_.device().kind != Device::Kind::cuda) image = normalise(image, *prepared.stains, *target);
    }
    prepared.image = std::move(image);
    return prepared;
}

Probability Predictor::operator()(const PreparedImage& prepared, const PredictOptions& options,
                                  const std::function<void(int, int)>& progress) const {
    const int tile = model_.description.network.local;
    if (options.overlap < 0 || options.overlap >= tile)
        throw Error("predict", "expected an overlap of 0 ... {}, got {}", tile - 1, options.overlap);
    if (options.batch < 1) throw Error("predict", "expected a batch of at least 1, got {}", options.batch);

    const NoGrad no_grad;
    const Image& image = prepared.image;
    const int turns = options.augmentation == TestTimeAugmentation::none    ? 1
                      : options.augmentation == TestTimeAugmentation::flips ? 4
                                                                            : 8;
    Probability result{image.width, image.height, std::vector<float>(std::size_t(image.width) * image.height)};
    int tiles_done = 0;
    for (int code = 0; code < turns; ++code) {
        const Dihedral turn{code, image.width, image.height};
        const Image other = code == 0 ? Image() : turned(image, turn);
        const Image& view = code == 0 ? image : other;
        TilePass pass(model_, *folded_, view, prepared.stains, options);
        const auto said = pass.run([&](int count) {
            tiles_done += count;
            if (progress) progress(tiles_done, turns * pass.count());
        });
        for (int y = 0, i = 0; y < view.height; ++y)
            for (int x = 0; x < view.width; ++x, ++i) result.values[turn.source(x, y)] += said[i] / float(turns);
    }
    return result;
}

}  // namespace karyon
