"""The app's manifests, generated from the menu: paste one where Slack asks for it."""

from __future__ import annotations

import json
from typing import Any, Final

from handlers.menu.registry import Command, commands

UMBRELLA: Final = "ca"
"""/ca COMMAND says any command: names collide in a workspace, this one is ours."""
DIRECT: Final = ("rates", "latest", "digest", "subscribe")
SCOPES: Final = (
    "app_mentions:read",  # what is said to us in threads, where slash commands are not taken
    "channels:read",  # that a channel was archived, or let us in again
    "chat:write",
    "chat:write.public",  # public channels uninvited
    "commands",
    "files:write",  # charts
    "groups:read",
    "im:history",  # what is said to us in direct messages
    "im:write",  # charts and notices to a person
    "users:read",  # a person's zone and language
)
EVENTS: Final = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "channel_archive",
    "channel_deleted",
    "channel_unarchive",
    "group_archive",
    "group_unarchive",
    "member_joined_channel",
    "message.im",
    "tokens_revoked",
)
SHORTCUTS: Final = {
    "board": ("Central Asia rates", "Today's official rates of the five currencies"),
    "subscribe": ("Subscribe a channel", "A digest of rates and news, at a time you choose"),
}
EVENTS_PAGE: Final = "/slack/events"
REDIRECT_PAGE: Final = "/slack/oauth_redirect"
DESCRIPTION: Final = 100
HINT: Final = 1_000


def socket_manifest() -> str:
    """Of the app for one workspace in Socket Mode, as JSON."""
    return json.dumps(_manifest(), ensure_ascii=False, indent=2)


def http_manifest(public_url: str) -> str:
    """Of the app for one workspace or many over HTTP, as JSON. public_url: where Slack reaches us"""
    manifest, page = _manifest(), f"{public_url}{EVENTS_PAGE}"
    for slash in manifest["features"]["slash_commands"]:
        slash["url"] = page
    settings = manifest["settings"]
    settings["event_subscriptions"]["request_url"] = page
    settings["interactivity"]["request_url"] = page
    settings |= {"socket_mode_enabled": False, "org_deploy_enabled": True}
    manifest["oauth_config"]["redirect_urls"] = [f"{public_url}{REDIRECT_PAGE}"]
    return json.dumps(manifest, ensure_ascii=False, indent=2)


def _manifest() -> dict[str, Any]:
    menu = commands()
    direct = [_slash(menu[name]) for name in DIRECT if name in menu]
    return {
        "display_information": {
            "name": "Yamchi",
            "description": "Central Asia's news and exchange rates",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,  # commands are typed there
            },
            "bot_user": {"display_name": "Yamchi", "always_online": True},
            "shortcuts": [
                {"name": name, "type": "global", "callback_id": callback, "description": description}
                for callback, (name, description) in SHORTCUTS.items()
            ],
            "slash_commands": [*direct, _umbrella(list(menu.values()))],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def _slash(command: Command) -> dict[str, Any]:
    slash = {"command": f"/{command.name}", "description": command.summary[:DESCRIPTION], "should_escape": True}
    return {**slash, "usage_hint": command.usage[:HINT]} if command.usage else slash


def _umbrella(menu: list[Command]) -> dict[str, Any]:
    """Every command there is stands in its hint."""
    return {
        "command": f"/{UMBRELLA}",
        "description": "Any command of Yamchi's: /ca help",
        "usage_hint": " | ".join(command.name for command in menu)[:HINT],
        "should_escape": True,
    }
