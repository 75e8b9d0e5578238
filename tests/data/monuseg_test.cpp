#include <cstdlib>

#include "data/aperio.h"
#include "data/dataset.h"
#include "data/image_io.h"
#include "data/labels.h"
#include "tests/data/support.h"

using namespace karyon;
using namespace karyon::test;

namespace {

std::optional<fs::path> monuseg() {
    if (const char* folder = std::getenv("KARYON_MONUSEG")) return folder;
    MESSAGE("skipped: KARYON_MONUSEG does not name the MoNuSeg folder");
    return std::nullopt;
}

template <typename T>
std::size_t count_differences(const std::vector<T>& a, const std::vector<T>& b) {
    REQUIRE(a.size() == b.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i];
    return count;
}

}  // namespace

TEST_CASE("monuseg: the shipped XML files give the shipped masks and labels, no pixel differs") {
    const auto root = monuseg();
    if (!root) return;
    std::size_t files = 0, mask_differences = 0, label_differences = 0, shifted_differences = 0, skipped = 0;
    for (const fs::directory_entry& entry : fs::directory_iterator(*root / "annotations")) {
        const std::string name = entry.path().stem().string();
        CAPTURE(name);
        AperioOutlines outlines = read_aperio(entry.path());
        const Mask mask = read_mask(*root / "masks" / (name + ".png"));
        const Labels labels = read_labels(*root / "labels" / (name + ".png"));
        const Labels drawn = rasterise(outlines.regions, mask.width, mask.height, outlines.holes);
        mask_differences += count_differences(mask_of(drawn).pixels, mask.pixels);
        label_differences += count_differences(drawn.ids, labels.ids);
        CHECK(mask_of(labels).pixels == mask.pixels);
        // The control: half a pixel aside must be seen.
        for (Polygon& polygon : outlines.regions)
            for (Point& point : polygon) point.x += 0.5;
        const Labels shifted = rasterise(outlines.regions, mask.width, mask.height);
        shifted_differences += count_differences(mask_of(shifted).pixels, mask.pixels);
        skipped += outlines.skipped;
        ++files;
    }
    MESSAGE(files << " files: " << mask_differences << " mask pixels differ, " << label_differences
                  << " label pixels differ, " << shifted_differences << " when shifted by half a pixel; " << skipped
                  << " regions without area");
    CHECK(files == 13);
    CHECK(mask_differences == 0);
    CHECK(label_differences == 0);
    CHECK(shifted_differences > 100000);
    CHECK(skipped == 2);
}

TEST_CASE("monuseg: splits and cases") {
    const auto root = monuseg();
    if (!root) return;
    const DataFolder data(*root);
    const Split train = read_split(*root / "splits/kumar-train.txt"),
                test = read_split(*root / "splits/kumar-test.txt");
    CHECK(train.name == "kumar-train");
    CHECK(data.find_images(train).size() == 16);
    CHECK(data.find_images(test).size() == 14);
    const Case first = data.read_case(train.entries[0].name, train.entries[0].organ);
    CHECK(first.image.width == 1000);
    CHECK(first.image.height == 1000);
    CHECK(first.labels.has_value());
    check_all_truncations(data.find_image(first.name), read_image, 12);
}
