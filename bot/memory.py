"""How a process that runs for weeks goes about its memory."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from typing import Final

LARGE: Final = 1 << 20
YOUNG: Final = 10_000
"""So many new objects before Python looks for cycles among them; by itself it does after 700."""
HEAPS: Final = 2
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8


def collect_seldom() -> None:
    """A hundred polls under way are some thousand objects that refer to each other and are not garbage."""
    gc.set_threshold(YOUNG, 10, 10)


def give_large_blocks_back() -> None:
    """From now on, every block of a megabyte and more goes back to the system when it is freed, and threads to come
    share two heaps.

    By itself glibc raises that limit to the largest block it ever freed, so that documents grow inside the heap, each
    into a hole of its own; and it gives each thread a heap. Where there is no glibc nothing changes.
    """
    with suppress(OSError, AttributeError, TypeError):
        allocator = ctypes.CDLL(None)
        allocator.mallopt(_M_MMAP_THRESHOLD, LARGE)
        allocator.mallopt(_M_ARENA_MAX, HEAPS)
