#include "kernels/elementwise/activation.h"
