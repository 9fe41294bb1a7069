"""Telegram as it brings updates to a webhook: each until it is answered with 200, in order.

    with FakeTelegram() as telegram, Courier(telegram, f"http://127.0.0.1:{port}") as courier:
        telegram.say(7, "/rates")
        courier.wait_until_empty()
        courier.answers                      # every status there was

to: where the public address of the webhook leads, as through a proxy
twice: an answer of every so many is lost, and the update comes once more
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from itertools import count
from typing import Self
from urllib.parse import urlsplit

from tests.fakes.telegram import FakeTelegram

HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Courier:
    """See the module. answers: how often each status came back, 0 where nothing did."""

    def __init__(self, telegram: FakeTelegram, to: str, twice: int = 0) -> None:
        self._telegram = telegram
        self._to = to
        self._twice = twice
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self.answers: Counter[int] = Counter()

    def wait_until_empty(self, timeout: float = 60) -> None:
        deadline = time.monotonic() + timeout
        while self._telegram._updates:
            assert time.monotonic() < deadline, f"{len(self._telegram._updates)} updates left; {self.answers}"
            time.sleep(0.02)

    def _run(self) -> None:
        numbers = count(1)
        while not self._stopped.wait(0.01):
            hook, waiting = self._telegram.hook, self._telegram._updates
            if not (hook and waiting):
                continue
            status = post(self._to + urlsplit(hook["url"]).path, json.dumps(waiting[0]).encode(), hook["secret_token"])
            self.answers[status] += 1
            if status == 200 and not (self._twice and next(numbers) % self._twice == 0):
                del waiting[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(30)


def post(url: str, body: bytes, secret: str | None, kind: str = "application/json", method: str = "POST") -> int:
    """The status of one request, 0 if there was no answer."""
    headers = {"Content-Type": kind} | ({HEADER: secret} if secret is not None else {})
    request = urllib.request.Request(url, data=body if method != "GET" else None, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
