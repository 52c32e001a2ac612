"""Every random number comes from one seed and the name of what it is for."""

import hashlib


def derive_seed(*parts: object) -> int:
    """Return a 63-bit seed that depends on all `parts`, e.g. ``(seed, "ndm", 2, "order", epoch)``."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
