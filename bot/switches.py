"""Which settings turn Slack on, and what is missing where somebody began to."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

BOT: Final = "SLACK_BOT_TOKEN"
APP: Final = "SLACK_APP_TOKEN"
SIGNING: Final = "SLACK_SIGNING_SECRET"
CLIENT: Final = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")
SLACK: Final = (BOT, *CLIENT, APP, SIGNING)


def missing_for_slack(given: Set[str]) -> str:
    """What keeps Slack off, "" if nothing does or nobody wants it. given: names of settings that are set

    It takes a token of one workspace, or the app's own id and secret for many; and a way by which Slack reaches us.
    """
    there = [name for name in SLACK if name in given]
    for name, other in (CLIENT, CLIENT[::-1]):
        if name in given and other not in given:
            return _missing(other, name)
    if there and not given & {BOT, CLIENT[0]}:
        return _missing(BOT, there[0])
    if there and not given & {APP, SIGNING}:
        return _missing(APP, there[0], f", or {SIGNING} for HTTP")
    return ""


def _missing(name: str, beside: str, instead: str = "") -> str:
    return f"{name}: not set, and Slack needs it beside {beside}{instead}"
