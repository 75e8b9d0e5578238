#include <cstdio>

#include "models/efficientnet.h"
#include "tensor/tensor.h"

int main() {
    const karyon::Tensor ones = karyon::Tensor::full({2, 3}, 1.0f);
    float sum = 0;
    for (const float value : ones.span<float>()) sum += value;
    std::printf("%s of ones sum to %g\n", karyon::to_string(ones.shape()).c_str(), sum);
    return sum == 6 ? 0 : 1;
}
