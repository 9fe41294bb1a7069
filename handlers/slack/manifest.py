"""The app's manifest, generated from the menu: paste it where Slack asks for one."""

from __future__ import annotations

import json
from typing import Any, Final

from handlers.menu.registry import Command, commands

UMBRELLA: Final = "ca"
"""/ca COMMAND says any command: names collide in a workspace, this one is ours."""
DIRECT: Final = ("rates", "latest", "digest", "subscribe")
SCOPES: Final = ("chat:write", "chat:write.public", "commands", "files:write", "im:write", "users:read")
"""To post, to post in public channels uninvited, slash commands, charts and files, to send these to a person
where we are no member, a person's zone and language."""
DESCRIPTION: Final = 100
HINT: Final = 1_000


def socket_manifest() -> str:
    """Of the app for one workspace in Socket Mode, as JSON."""
    return json.dumps(_manifest(), ensure_ascii=False, indent=2)


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
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,  # commands are typed there
            },
            "bot_user": {"display_name": "Yamchi", "always_online": True},
            "slash_commands": [*direct, _umbrella(list(menu.values()))],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
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
