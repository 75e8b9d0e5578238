#pragma once

#include "kernels/types.h"

namespace karyon {

/// The stream on which ops of this thread are queued.
inline kernels::Stream& current_stream() {
    thread_local kernels::Stream stream;
    return stream;
}

}  // namespace karyon
