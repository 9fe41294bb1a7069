"""The inside of a Slack workspace: Web API, Socket Mode and response_url, with Slack's limits."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from .slack_oauth import Oauth
from .slack_screen import Screen, refuse, show
from .slack_views import Views
from .web import FakeWeb

Json = dict[str, Any]
_SCOPES = {
    "conversations.open": "im:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}
BOT, APP, TEAM = "xoxb-canary-bot-4815", "xapp-canary-app-1623", "T1"


@dataclass
class Seen:
    """A message as a person sees it. user: who alone sees it, "" for everybody."""

    channel: str
    raw: Json
    user: str = ""
    ts: str = ""
    screen: Screen = field(default_factory=Screen)

    @property
    def text(self) -> str:
        return self.screen.text

    @property
    def buttons(self) -> dict[str, str]:
        return self.screen.buttons


@dataclass
class Reply:
    """What came of a command or a press. acked_after: seconds; seen: the newest answer."""

    key: str
    acked_after: float = 0.0
    answers: list[Seen] = field(default_factory=list)

    @property
    def seen(self) -> Seen:
        return self.answers[-1]

    @property
    def text(self) -> str:
        return self.seen.text


@dataclass
class Shared:
    """An uploaded file where it was shared."""

    channel: str
    name: str
    content: bytes
    title: str
    alternative: str
    thread: str


class Workspace:
    """people: users.info by user id; calls, rejected, mentions: what Slack noted; paced: 1/s a channel;
    homes, names: the workspace, the name of channels that have one; member: channels the app
    is in; missing_scopes: not granted; shared: files, in order; tried: the channel and the second of each post,
    taken or not."""

    def __init__(self, *, paced: bool = False) -> None:
        self.web = FakeWeb()
        self.web.route("/api/", self._api)
        self.web.route("/link/", self._link)
        self.web.route("/answer/", self._answer)
        self.web.route("/upload/", self._upload)
        self.people: dict[str, Json] = {"U1": {"tz": "Asia/Almaty", "locale": "en-US"}}
        self.tokens = {BOT, APP}
        self.oauth = Oauth()
        self.views = Views()
        self.homes: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.paced = paced
        self.member = {"C1", "D1"}
        self.missing_scopes: set[str] = set()
        self.shared: list[Shared] = []
        self.posted: list[Seen] = []
        self.tried: list[tuple[str, float]] = []
        self.calls: list[tuple[str, Json]] = []
        self.called_with: list[tuple[str, str]] = []
        self.rejected: list[tuple[str, str]] = []
        self.mentions: list[str] = []
        self.links_opened = 0
        self._errors: dict[str, list[str]] = {}
        self._floods: dict[str, int] = {}
        self._refuse_links = 0
        self._tickets: set[str] = set()
        self._counter = itertools.count(1)
        self._line: web.WebSocketResponse | None = None
        self._silent: set[web.WebSocketResponse] = set()
        self._acked: dict[str, float] = {}
        self._replies: dict[str, Reply] = {}
        self._last: dict[str, float] = {}
        self._uploads: dict[str, tuple[Json, bytes]] = {}
        self._change = threading.Condition()

    @property
    def api_url(self) -> str:
        return f"{self.web.url}/api/"

    def __enter__(self) -> Self:
        self.web.__enter__()
        return self

    def __exit__(self, *why: object) -> None:
        self.web.__exit__(*why)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.path.removeprefix("/api/")
        body = await request.text()
        args = json.loads(body) if request.content_type == "application/json" else dict(parse_qsl(body))
        args = {**request.query, **(args or {})}
        self.calls.append((method, args))
        authorization = request.headers.get("Authorization", "")
        if method == "oauth.v2.access":
            answer = self.oauth.access(args, authorization)
        else:
            answer = self._carry_out(method, args, authorization.removeprefix("Bearer "))
        self.called_with.append((method, authorization.removeprefix("Bearer ")))
        if not answer["ok"]:
            self.rejected.append((method, answer["error"]))
        with self._change:
            self._change.notify_all()
        if answer.get("error") != "ratelimited":
            return web.json_response(answer)
        return web.json_response(answer, status=429, headers={"Retry-After": str(answer.pop("after", 1))})

    def _carry_out(self, method: str, args: Json, token: str) -> Json:
        if not token:
            return {"ok": False, "error": "not_authed"}
        if token not in self.tokens and token not in self.oauth.teams:
            return {"ok": False, "error": "invalid_auth"}
        if (token == APP) != (method == "apps.connections.open"):
            return {"ok": False, "error": "not_allowed_token_type"}
        if self._errors.get(method):
            return {"ok": False, "error": self._errors[method].pop(0)}
        if method == "auth.test":
            return {"ok": True, "team_id": self.team_of(token), "user_id": "UBOT", "bot_id": "BBOT"}
        if method == "apps.connections.open":
            return {"ok": True, "url": self._ticket()}
        if method == "users.info":
            known = self.people.get(args.get("user", ""))
            return (
                {"ok": True, "user": {"id": args["user"], **known}}
                if known
                else {"ok": False, "error": "user_not_found"}
            )
        if self.homes.get(args.get("channel", ""), self.team_of(token)) != self.team_of(token):
            return {"ok": False, "error": "channel_not_found"}
        if method == "chat.postMessage":
            return self._post(args)
        if method.startswith("views."):
            return self.views.carry_out(method, args)
        if method == "chat.update":
            return self._update(args)
        if _SCOPES.get(method) in self.missing_scopes:
            return {"ok": False, "error": "missing_scope", "needed": _SCOPES[method]}
        if method == "conversations.open":
            channel = f"D{args['users']}"
            self.member.add(channel)
            return {"ok": True, "channel": {"id": channel}}
        if method == "conversations.info":
            channel = args["channel"]
            return {"ok": True, "channel": {"id": channel, "name": self.names.get(channel, channel)}}
        if method == "files.getUploadURLExternal":
            return self._offer(args)
        if method == "files.completeUploadExternal":
            return self._complete(args)
        return {"ok": False, "error": "unknown_method"}

    def team_of(self, token: str) -> str:
        return self.oauth.teams.get(token, TEAM)

    def _offer(self, args: Json) -> Json:
        if not args.get("filename") or not int(args.get("length") or 0):
            return {"ok": False, "error": "invalid_arguments"}
        if len(args.get("alt_txt") or "") > 1000:
            return {"ok": False, "error": "alt_txt_too_large"}
        number = f"F{next(self._counter)}"
        self._uploads[number] = (args, b"")
        return {"ok": True, "file_id": number, "upload_url": f"{self.web.url}/upload/{number}"}

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        number, content = request.path.rpartition("/")[2], await request.read()
        args, _ = self._uploads[number]
        if len(content) != int(args["length"]):
            return web.Response(status=400, text="the length is not as announced")
        self._uploads[number] = (args, content)
        return web.Response(text=f"OK - {len(content)}")

    def _complete(self, args: Json) -> Json:
        channel = args.get("channel_id", "")
        if channel not in self.member:
            return {"ok": False, "error": "not_in_channel" if channel.startswith("C") else "channel_not_found"}
        for entry in json.loads(args["files"]):
            asked, content = self._uploads.pop(entry["id"], ({}, b""))
            if not content:
                return {"ok": False, "error": "file_not_found"}
            titles = entry.get("title", ""), asked.get("alt_txt", ""), args.get("thread_ts", "")
            self.shared.append(Shared(channel, asked["filename"], content, *titles))
        return {"ok": True, "files": []}

    def _ticket(self) -> str:
        ticket = f"canary-ticket-{next(self._counter)}"
        self._tickets.add(ticket)
        return f"{self.web.url.replace('http', 'ws')}/link/?ticket={ticket}"

    def _post(self, args: Json) -> Json:
        channel, now = args["channel"], time.monotonic()
        self.tried.append((channel, now))
        if after := self._floods.pop(channel, 0):
            return {"ok": False, "error": "ratelimited", "after": after}
        if self.paced and now - self._last.get(channel, -9) < 0.95:
            return {"ok": False, "error": "ratelimited"}
        if error := refuse(args):
            return {"ok": False, "error": error}
        self._last[channel] = now
        ts = f"{1_700_000_000 + next(self._counter)}.000100"
        self.posted.append(self._seen(channel, args, ts=ts))
        return {"ok": True, "channel": channel, "ts": ts}

    def _update(self, args: Json) -> Json:
        found = [n for n, one in enumerate(self.posted) if (one.channel, one.ts) == (args["channel"], args["ts"])]
        if error := refuse(args) if found else "message_not_found":
            return {"ok": False, "error": error}
        self.posted[found[0]] = self._seen(args["channel"], args, ts=args["ts"])
        return {"ok": True, "channel": args["channel"], "ts": args["ts"]}

    def _seen(self, channel: str, raw: Json, user: str = "", ts: str = "") -> Seen:
        screen = show(raw)
        self.mentions += screen.mentions
        return Seen(channel, raw, user, ts, screen)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        reply = self._replies.get(request.path.rpartition("/")[2])
        raw = await request.json()
        if reply is None or len(reply.answers) >= 5:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        if error := refuse(raw):
            self.rejected.append(("response_url", error))
            return web.json_response({"ok": False, "error": error}, status=400)
        alone = request.query["user"] if raw.get("response_type", "ephemeral") == "ephemeral" else ""
        reply.answers.append(self._seen(request.query["channel"], raw, alone, f"E{next(self._counter)}"))
        with self._change:
            self._change.notify_all()
        return web.Response(text="ok")

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        if self._refuse_links:
            self._refuse_links -= 1
            return web.Response(status=503)
        line = web.WebSocketResponse(autoping=False)
        await line.prepare(request)
        self._loop = asyncio.get_running_loop()
        self.links_opened += 1
        await line.send_json({"type": "hello", "num_connections": 1})
        self._line = line
        try:
            await self._read(line)
        finally:
            self._gone(line)
        return line

    async def _read(self, line: web.WebSocketResponse) -> None:
        async for message in line:
            if line in self._silent:
                continue
            if message.type is aiohttp.WSMsgType.PING:
                await line.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                self._acked.setdefault(json.loads(message.data).get("envelope_id", ""), time.monotonic())
                with self._change:
                    self._change.notify_all()

    def _gone(self, line: web.WebSocketResponse) -> None:
        if self._line is line:
            self._line = None
