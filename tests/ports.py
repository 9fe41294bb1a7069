"""Ports of this machine, for programs that are told theirs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """A port that nobody is given by chance until the end, however many tests run at once.

    It is bound and not listened at: who asks for any port gets another one, who calls it is refused,
    and a server that names it can have it.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])
