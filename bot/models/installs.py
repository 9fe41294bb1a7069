"""Workspaces that have us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

UNINSTALLED: Final = "uninstalled"
"""Why the chats of a workspace are paused that has us no more."""


@dataclass(frozen=True, slots=True)
class Install:
    """A workspace whose token we hold. Its chats' ids begin with "WORKSPACE/".

    secret: the token and what goes with it, as the platform's room writes it (bot/seal.py)
    expires_at: when the token ends, None for never
    """

    platform: str
    workspace: str
    secret: str
    expires_at: datetime | None = None
