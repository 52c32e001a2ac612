"""Keeping freed memory in the process."""

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h


def keep_freed_memory() -> None:
    """Ask glibc to keep what is freed instead of giving it back to the system; elsewhere do nothing.

    By default it returns tensors of many megabytes at once, and every step pays for clearing the
    same memory again: 20 % of an ASR-Net step in fp32. For processes that do nothing but train.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)
