"""Slack's side of HTTP mode: requests signed as Slack signs them, brought to our page."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

SECRET = "canary-signing-secret-2718"
COMMAND = {
    "command": "/rates",
    "text": "KZT",
    "team_id": "T1",
    "channel_id": "C1",
    "user_id": "U1",
    "trigger_id": "1.0",
    "response_url": "http://127.0.0.1:9/nowhere",
}


def encoded(kind: str, payload: dict[str, Any]) -> tuple[bytes, str]:
    """The body of an envelope over HTTP, and its content type."""
    if kind == "slash_commands":
        return urlencode(payload).encode(), "application/x-www-form-urlencoded"
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"
    return json.dumps(payload).encode(), "application/json"


def signature(body: bytes, stamp: str, secret: str = SECRET) -> str:
    return "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()


def forgeries(now: int, late: int = 301) -> dict[str, tuple[bytes, dict[str, str]]]:
    """Requests that Slack did not make, or not now. now: seconds since 1970; late: more than 300"""
    body, content = encoded("slash_commands", COMMAND)
    good = signature(body, str(now))

    def headers(stamp: str | None = str(now), signed: str | None = good) -> dict[str, str]:
        given = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed}
        return {"Content-Type": content, **{name: value for name, value in given.items() if value is not None}}

    return {
        "another secret": (body, headers(signed=signature(body, str(now), "guess"))),
        "another body": (body + b"&admin=1", headers()),
        "another time": (body, headers(str(now - 1))),
        f"{late} seconds old": (body, headers(str(now - late), signature(body, str(now - late)))),
        f"{late} seconds ahead": (body, headers(str(now + late), signature(body, str(now + late)))),
        "no number": (body, headers("abc", signature(body, "abc"))),
        "a negative number": (body, headers(f"-{now}", signature(body, f"-{now}"))),
        "an endless number": (body, headers("9" * 5000, good)),
        "no time": (body, headers(None)),
        "no signature": (body, headers(signed=None)),
        "an empty signature": (body, headers(signed="")),
        "no text": (b"\xff\xfe", headers()),
    }


@dataclass
class Courier:
    """url: of the bot's page; now: seconds since 1970, as the bot's clock goes."""

    url: str
    now: Callable[[], float] = time.time
    secret: str = SECRET

    def bring(self, kind: str, payload: dict[str, Any], **headers: str) -> tuple[int, bytes]:
        """Status and body of the bot's answer."""
        body, content = encoded(kind, payload)
        stamp = str(int(self.now()))
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(body, stamp, self.secret)}
        return self.post(body, {"Content-Type": content, **signed, **headers})

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """As it is. (0, b"") if the bot could not be reached."""
        request = urllib.request.Request(self.url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
