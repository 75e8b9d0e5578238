"""Numbers that Python and C++ make alike from a name (tests/models/hashed.h)."""

import numpy as np

MASK = (1 << 64) - 1


def seed_of(name):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value


def hashed(name, count, low, high):
    """Element i: the upper 24 bits of splitmix64's output i + 1 from the name's seed, as low + (high - low) * u, rounded
    to float32, in float64."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed_of(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    uniform = (z >> np.uint64(40)).astype(np.float64) * 2.0**-24
    return (low + (high - low) * uniform).astype(np.float32).astype(np.float64)
