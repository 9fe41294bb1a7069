"""The other side of Slack's OAuth: who approves an app gets a code for it, and a code a token."""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT_ID, CLIENT_SECRET = "1.2", "canary-client-secret-3141"

Json = dict[str, Any]


@dataclass
class Oauth:
    """lives: seconds a token lives, None for ever; teams: the workspace of each token; asked: grants in order"""

    lives: int | None = None
    teams: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, Json] = field(default_factory=dict)
    _refresh: dict[str, str] = field(default_factory=dict)
    _counter: Any = field(default_factory=lambda: itertools.count(1))

    def approve(self, location: str, team: str, *, user: str = "U1", enterprise: str = "") -> str:
        """A person approves at this address. Returns the query with which Slack sends them back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert query["client_id"] == CLIENT_ID
        assert "chat:write" in query["scope"].split(",")
        code = f"canary-code-{next(self._counter)}"
        self._codes[code] = {"team": team, "user": user, "enterprise": enterprise, "to": query.get("redirect_uri")}
        return f"code={code}&state={query['state']}"

    def access(self, args: Json, authorization: str) -> Json:
        """oauth.v2.access."""
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {basic}":
            return {"ok": False, "error": "bad_client_secret"}
        grant = args.get("grant_type") or "authorization_code"
        self.asked.append(grant)
        if grant == "refresh_token":
            team = self._refresh.pop(args["refresh_token"], "")
            return self._grant(team, {}) if team else {"ok": False, "error": "invalid_refresh_token"}
        code = self._codes.pop(args["code"], None)
        if code is None or code["to"] != args.get("redirect_uri"):
            return {"ok": False, "error": "invalid_code"}
        return self._grant(code["enterprise"] or code["team"], code)

    def _grant(self, owner: str, code: Json) -> Json:
        number = next(self._counter)
        token = f"xoxb-canary-{owner}-{number}"
        self.teams[token] = owner
        whole = bool(code.get("enterprise"))
        answer: Json = {
            "ok": True,
            "app_id": "A1",
            "access_token": token,
            "token_type": "bot",
            "scope": "chat:write,commands",
            "bot_user_id": "UBOT",
            "team": None if whole else {"id": owner, "name": owner},
            "enterprise": {"id": code["enterprise"], "name": "Org"} if whole else None,
            "is_enterprise_install": whole,
            "authed_user": {"id": code.get("user", "U1")},
        }
        if self.lives:
            refresh = f"xoxe-canary-{owner}-{number}"
            self._refresh[refresh] = owner
            answer |= {"expires_in": self.lives, "refresh_token": refresh}
        return answer
