"""A child process for one job: neither its memory nor a fault of its native code stays with us."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE


async def output(*script: str, given: bytes) -> bytes:
    """What a Python script (a file, or "-c" and its text) writes when it is given this. Raises OSError.

    A child with nothing of our environment, and out of reach of the terminal's Ctrl-C.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", *script),
        env={},
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        start_new_session=True,
    )
    try:
        written, _ = await child.communicate(given)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise ChildProcessError(f"exit {child.returncode}")
    return written
