#include <doctest/doctest.h>

#include "models/import/checkpoint.h"
#include "tests/layers/reference_fixture.h"

using namespace karyon;
using namespace karyon::test;

namespace {

const std::string kFolder = KARYON_SOURCE_DIR "/tests/reference/data/containers/";

std::vector<float> read(const Checkpoint& checkpoint, const std::string& name) {
    const CheckpointTensor* tensor = checkpoint.find(name);
    REQUIRE_MESSAGE(tensor, name);
    std::vector<float> values(std::size_t(element_count(tensor->shape)));
    tensor->read(values);
    return values;
}

/// Every tensor of the expected file is there with its shape and its exact values; returns how many.
int compare(const std::string& file, const std::string& expected) {
    CAPTURE(file);
    const Checkpoint checkpoint = Checkpoint::open(kFolder + file);
    const Checkpoint wanted = Checkpoint::open(kFolder + expected);
    for (const CheckpointTensor& tensor : wanted.tensors()) {
        CAPTURE(tensor.name);
        const CheckpointTensor* found = checkpoint.find(tensor.name);
        REQUIRE(found);
        CHECK(found->shape == tensor.shape);
        CHECK(read(checkpoint, tensor.name) == read(wanted, tensor.name));
    }
    return int(checkpoint.tensors().size());
}

}  // namespace

TEST_CASE("checkpoint: PyTorch's zip, packed zip and old stream hold the same tensors, types and views") {
    for (const std::string file : {"zip.pth", "deflated.pth", "stream.pth", "nested.pth"})
        CHECK(compare(file, "torch.safetensors") == 11);
    const Checkpoint zip = Checkpoint::open(kFolder + "zip.pth");
    CHECK(zip.container() == "pytorch zip");
    CHECK(zip.find("f16")->type == ElementType::f16);
    CHECK(zip.find("bf16")->type == ElementType::bf16);
    CHECK(zip.find("i64")->type == ElementType::i64);
    CHECK(zip.find("i64")->shape.empty());
    CHECK(zip.find("transposed")->shape == Shape{6, 4});
    CHECK(zip.find("nothing") == nullptr);
    CHECK(Checkpoint::open(kFolder + "stream.pth").container() == "pytorch stream");
}

TEST_CASE("checkpoint: Keras weights and whole models name their tensors layer/weight" *
          doctest::skip(!KARYON_HAS_HDF5)) {
    CHECK(compare("weights.h5", "keras.safetensors") == 8);
    CHECK(compare("model.h5", "keras.safetensors") == 8);
}
