"""In which order Scala goes through the trees of a group: children are pushed in it, so it is part of the result.

Scala 2.13, `collection/mutable/HashMap.scala` and `collection/immutable/{Map,HashMap}.scala`. MLlib collects the
nodes of a group in a mutable map by tree and turns it into an immutable one, which keeps the order of insertion
while it has four keys or fewer and is a trie of hashes beyond.
"""

from __future__ import annotations

import numpy as np
from numba import uint32 as u32

from regatta.selection.native.compiled import compiled

BUCKETS = 16  # of a new mutable.HashMap; it grows beyond four keys, where its order no longer matters
BITS_A_LEVEL = 5
LEVELS = 7  # of a trie of 32 bits


@compiled
def _improved(key):
    """`Hashing.improve` of the hash of an Int, which is itself."""
    hashed = u32(key)
    hashed = u32(hashed + ~u32(hashed << u32(9)))
    hashed = u32(hashed ^ (hashed >> u32(14)))
    hashed = u32(hashed + u32(hashed << u32(4)))
    return u32(hashed ^ (hashed >> u32(10)))


@compiled
def _chunk(hashed, level):
    """The bits by which the trie branches at a level."""
    return np.int64((hashed >> u32(BITS_A_LEVEL * level)) & u32(31))


@compiled
def scala_order(keys):
    """The keys (small, at least 0, all different) in the order of `mutable.HashMap(...).toMap.foreach`."""
    rank = np.zeros(len(keys), np.int64)
    for index in range(len(keys)):
        if len(keys) <= 4:
            rank[index] = (keys[index] % BUCKETS) * (1 << 32) + keys[index]
            continue
        own = _improved(keys[index])
        depth = 0  # of the trie's node that holds the key: below all that it shares with another key
        for other in keys:
            if other != keys[index]:
                shared = 0
                while _chunk(own, shared) == _chunk(_improved(other), shared):
                    shared += 1
                depth = max(depth, shared)
        # A node of the trie goes through its own keys first, and then through its branches.
        for level in range(LEVELS):
            rank[index] *= 64
            if level <= depth:
                rank[index] += _chunk(own, level) + (32 if level < depth else 0)
    return keys[np.argsort(rank)]
