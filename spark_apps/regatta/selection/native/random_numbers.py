"""The generators that MLlib draws from, word for word.

| here | there |
|---|---|
| `xorshift_*` | Spark 4.1.2, core, `util/random/XORShiftRandom.scala` |
| `murmur3` | Scala 2.13, `util/hashing/MurmurHash3.scala`, `bytesHash` |
| `java_*` | `java.util.Random` (its algorithm is part of its contract) |
| `well_*` | commons-math3 3.6.1, `random/Well19937c.java` |

A generator that is one number is passed and given back; Well19937c, of 624 words, is an array that changes. Python
gets such a number as an int, and must hand it on as a `np.uint64`: half of them are too large for a signed one.
"""

from __future__ import annotations

import numpy as np
from numba import uint32 as u32
from numba import uint64 as u64

from regatta.selection.native.compiled import compiled

TWO_TO_MINUS_53 = 2.0**-53
TWO_TO_MINUS_52 = 2.0**-52

# ---- XORShiftRandom ----

_MURMUR_ARRAY_SEED = 0x3C074A61  # MurmurHash3.arraySeed


@compiled
def _rotated_left(word, by):
    return u32((word << u32(by)) | (word >> u32(32 - by)))


@compiled
def murmur3(high, low, seed):
    """MurmurHash3's 32 bits of the 8 bytes of a long, most significant first."""
    hashed = u32(seed)
    for word in (high, low):
        # The bytes lie in memory in the order of Java's ByteBuffer, and are mixed in the other one.
        mixed = u32(
            (word << u32(24))
            | ((word & u32(0xFF00)) << u32(8))
            | ((word >> u32(8)) & u32(0xFF00))
            | (word >> u32(24))
        )
        mixed = u32(mixed * u32(0xCC9E2D51))
        mixed = u32(_rotated_left(mixed, 15) * u32(0x1B873593))
        hashed = u32(_rotated_left(u32(hashed ^ mixed), 13) * u32(5) + u32(0xE6546B64))
    hashed = u32(hashed ^ u32(8))  # the number of bytes
    hashed = u32((hashed ^ (hashed >> u32(16))) * u32(0x85EBCA6B))
    hashed = u32((hashed ^ (hashed >> u32(13))) * u32(0xC2B2AE35))
    return u32(hashed ^ (hashed >> u32(16)))


@compiled
def xorshift_seeded(seed):
    """The state after `new XORShiftRandom(seed)` or `setSeed(seed)`: seeds are hashed, near ones must differ."""
    bits = u64(seed)
    high, low = u32(bits >> u64(32)), u32(bits & u64(0xFFFFFFFF))
    low_hash = murmur3(high, low, u32(_MURMUR_ARRAY_SEED))
    high_hash = murmur3(high, low, low_hash)
    return (u64(high_hash) << u64(32)) | u64(low_hash)


@compiled
def _xorshift_step(state):
    state ^= state << u64(21)
    state ^= state >> u64(35)
    return state ^ (state << u64(4))


@compiled
def xorshift_double(state):
    """`nextDouble()`: the new state, and a number from 0 to below 1."""
    state = _xorshift_step(state)
    high = state & u64((1 << 26) - 1)
    state = _xorshift_step(state)
    low = state & u64((1 << 27) - 1)
    return state, np.float64((high << u64(27)) + low) * TWO_TO_MINUS_53


@compiled
def xorshift_int(state):
    """`nextInt()`: the new state, and a signed number of 32 bits."""
    state = _xorshift_step(state)
    return state, np.int32(u32(state & u64(0xFFFFFFFF)))


# ---- java.util.Random ----

_JAVA_MULTIPLIER = 0x5DEECE66D
_JAVA_MASK = (1 << 48) - 1


@compiled
def java_seeded(seed):
    """The state after `new Random(seed)`."""
    return (u64(seed) ^ u64(_JAVA_MULTIPLIER)) & u64(_JAVA_MASK)


@compiled
def java_long(state):
    """`nextLong()`: the new state, and a signed number of 64 bits, the sum of two draws of 32."""
    state = (state * u64(_JAVA_MULTIPLIER) + u64(0xB)) & u64(_JAVA_MASK)
    high = np.int64(np.int32(u32(state >> u64(16))))
    state = (state * u64(_JAVA_MULTIPLIER) + u64(0xB)) & u64(_JAVA_MASK)
    low = np.int64(np.int32(u32(state >> u64(16))))
    return state, (high << 32) + low


# ---- Well19937c ----

WELL_WORDS = 624
_TOP_BIT, _OTHER_BITS = 0x80000000, 0x7FFFFFFF


@compiled
def well_seeded(seed):
    """The words after `setSeed(seed)`. The first to be drawn from is at position 0."""
    words = np.empty(WELL_WORDS, np.uint32)
    words[0], words[1] = u32(u64(seed) >> u64(32)), u32(u64(seed) & u64(0xFFFFFFFF))
    for index in range(2, WELL_WORDS):
        before = np.int64(np.int32(words[index - 2]))  # AbstractWell extends the sign, so this must too
        words[index] = u32((np.int64(1812433253) * (before ^ (before >> 30)) + index) & 0xFFFFFFFF)
    return words


@compiled
def _well_26_bits(words, here):
    """`next(26)`, tempered (the c of its name): the new position, and the bits."""
    before = here - 1 if here > 0 else WELL_WORDS - 1
    before_that = before - 1 if before > 0 else WELL_WORDS - 1
    near, far, farther = here + 70, here + 179, here + 449
    near -= WELL_WORDS if near >= WELL_WORDS else 0
    far -= WELL_WORDS if far >= WELL_WORDS else 0
    farther -= WELL_WORDS if farther >= WELL_WORDS else 0

    word, one, two, three = words[here], words[near], words[far], words[farther]
    z0 = (u32(_TOP_BIT) & words[before]) ^ (u32(_OTHER_BITS) & words[before_that])
    z1 = (word ^ u32(word << u32(25))) ^ (one ^ (one >> u32(27)))
    z2 = (two >> u32(9)) ^ (three ^ (three >> u32(1)))
    z3 = z1 ^ z2
    z4 = z0 ^ (z1 ^ u32(z1 << u32(9))) ^ (z2 ^ u32(z2 << u32(21))) ^ (z3 ^ (z3 >> u32(21)))
    words[here] = z3
    words[before] = z4
    words[before_that] &= u32(_TOP_BIT)

    z4 ^= u32(z4 << u32(7)) & u32(0xE46E1700)
    z4 ^= u32(z4 << u32(15)) & u32(0x9B868000)
    return before, u64(z4 >> u32(6))


@compiled
def well_double(words, position):
    """`nextDouble()` of `BitsStreamGenerator`: the new position, and a number from 0 to below 1, of 52 bits."""
    position, high = _well_26_bits(words, position)
    position, low = _well_26_bits(words, position)
    return position, np.float64((high << u64(26)) | low) * TWO_TO_MINUS_52
