"""A Bot API server that costs next to nothing: every request is answered with one message, whatever it asks.

python -m bench.telegram_mock PORT [SECONDS]      # SECONDS: how long each answer takes
"""

from __future__ import annotations

import asyncio
import re
import sys

RESULT = (
    b'{"ok":true,"result":{"message_id":1,"date":1790000000,"text":"Rates","chat":{"id":7,"type":"private",'
    b'"first_name":"Aliya"},"from":{"id":1,"is_bot":true,"first_name":"Yamchi","username":"YamchiBot"}}}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(RESULT), RESULT)
LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)


class Server(asyncio.Protocol):
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            found = LENGTH.search(self._waiting, 0, end)
            if found:
                end += 4 + int(found[1])
            else:  # chunked
                last = self._waiting.find(b"\r\n0\r\n\r\n", end)
                end = last + 7 if last >= 0 else len(self._waiting) + 1
            if len(self._waiting) < end:
                return
            self._waiting = self._waiting[end:]
            if self._seconds:
                asyncio.get_running_loop().call_later(self._seconds, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(ANSWER)  # type: ignore[attr-defined]


async def serve(port: int, seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Server(seconds), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
