"""What happens to us in a workspace: removed, invited, a channel archived and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.models import Address
from bot.ports import Clock
from bot.store import Store
from handlers.slack.heard import workspace
from handlers.slack.workspaces import Workspaces

SHUT: Final = {"channel_archive": "is_archived", "group_archive": "is_archived", "channel_deleted": "channel_deleted"}
BACK: Final = frozenset({"channel_unarchive", "group_unarchive"})


class Events:
    """Handles what nobody waits for an answer to."""

    def __init__(self, store: Store, clock: Clock, workspaces: Workspaces) -> None:
        self._store = store
        self._clock = clock
        self._workspaces = workspaces

    async def handle(self, payload: Mapping[str, Any]) -> bool:
        """False for what is none of these. Raises DatabaseError; ValueError for a payload out of shape."""
        try:
            if payload.get("type") != "event_callback":
                return False
            return await self._handle(str(payload["event"]["type"]), payload["event"], payload)
        except (AttributeError, KeyError, IndexError, TypeError) as error:
            raise ValueError(f"an event without its {error}") from error

    async def _handle(self, kind: str, event: Mapping[str, Any], payload: Mapping[str, Any]) -> bool:
        where = workspace(payload)
        if kind == "app_uninstalled" or (kind == "tokens_revoked" and event["tokens"].get("bot")):
            await self._workspaces.gone(where)
        elif kind in SHUT:
            await self._store.pause(Address("slack", f"{where}/{event['channel']}"), SHUT[kind], self._clock())
        elif kind in BACK or (kind == "member_joined_channel" and event["user"] == _us(payload)):
            await self._store.revive(Address("slack", f"{where}/{event['channel']}"))
        else:
            return kind in {"tokens_revoked", "member_joined_channel"}
        return True


def _us(payload: Mapping[str, Any]) -> str:
    """Our own user's id there."""
    return str(((payload.get("authorizations") or [{}])[0]).get("user_id") or "")
