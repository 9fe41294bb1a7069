"""A Slack workspace on loopback: Web API, Socket Mode and response_url, with limits and faults.

    with FakeSlack() as slack:                      # in a thread of its own
        SLACK_API_URL = slack.api_url
        reply = slack.command("/rates", "KZT")      # as a person types it
        slack.press(reply.seen, "Next")             # as a person presses it
        slack.messages("C1")                        # what was pushed to a channel

The person's side blocks: from a test's own loop, call it by asyncio.to_thread.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Literal

from aiohttp import web

from .faults import reset_after, status
from .slack_courier import Courier
from .slack_workspace import APP, BOT, TEAM, Json, Reply, Seen, Workspace

Drop = Literal["disconnect", "close", "abort", "silence"]

__all__ = ["APP", "BOT", "TEAM", "Drop", "FakeSlack", "Reply", "Seen"]


class FakeSlack(Workspace):
    """Everything a test says and does; what Slack itself does is in Workspace.

    courier: brings things to the bot over HTTP; None: they go down its socket; pages: where its pages are
    """

    courier: Courier | None = None
    pages = ""

    # --- a person's side -----------------------------------------------------

    def command(
        self,
        name: str,
        text: str = "",
        *,
        channel: str = "C1",
        user: str = "U1",
        answers: int = 1,
        times: int = 1,
        **more: object,
    ) -> Reply:
        """Type a slash command; wait for its acknowledgement and answers. times: Slack repeats itself."""
        payload = {
            "command": name,
            "text": text,
            "team_id": TEAM,
            "channel_id": channel,
            "user_id": user,
            "trigger_id": f"{next(self._counter)}.0",
            **more,
        }
        return self._speak("slash_commands", payload, channel, user, answers, times)

    def press(self, seen: Seen, label: str, *, user: str = "U1", answers: int = 1) -> Reply:
        """Press a button of a message that was seen."""
        button = _button(seen.raw["blocks"], label)
        thread = {"thread_ts": seen.raw["thread_ts"]} if seen.raw.get("thread_ts") else {}
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "channel": {"id": seen.channel},
            "container": {"type": "message", "message_ts": seen.ts, "is_ephemeral": bool(seen.user), **thread},
            "actions": [{"type": "button", "action_id": button["action_id"], "value": button["value"]}],
            "trigger_id": self.views.trigger(),
        }
        return self._speak("interactive", payload, seen.channel, user, answers, 1)

    def happen(self, event: Json, *, times: int = 1, **more: object) -> None:
        """Something happens in the workspace; wait until the bot has acknowledged it."""
        key = f"Ev{next(self._counter)}"
        here = {"team_id": more.get("team_id", TEAM), "enterprise_id": None, "is_enterprise_install": False}
        payload = {
            "type": "event_callback",
            "event_id": key,
            "team_id": TEAM,
            "authorizations": [{**here, "user_id": "UBOT", "is_bot": True}],
            "event": event,
            **more,
        }
        self.deliver("events_api", payload, key, times)

    def say(self, text: str, *, channel: str = "C1", user: str = "U1", thread: str = "", **more: object) -> str:
        """Type to the bot: in its direct messages, or elsewhere after its name. Returns the message's ts."""
        ts = f"{1_700_000_000 + next(self._counter)}.000200"
        direct = channel.startswith("D")
        event = {
            "type": "message" if direct else "app_mention",
            "channel": channel,
            "user": user,
            "text": text,
            "ts": ts,
            **({"channel_type": "im"} if direct else {}),
            **({"thread_ts": thread} if thread else {}),
            **more,
        }
        self.happen(event)
        return ts

    def press_home(self, label: str, *, user: str = "U1") -> None:
        """Press a button of App Home."""
        view = self.views.homes[user]
        button = _button(view["blocks"], label)
        payload = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "container": {"type": "view"},
            "view": {"type": "home", "private_metadata": view["private_metadata"]},
            "actions": [{"type": "button", "action_id": button["action_id"], "value": button["value"]}],
            "trigger_id": self.views.trigger(),
        }
        self.deliver("interactive", payload, f"H{next(self._counter)}")

    def shortcut(self, name: str, *, user: str = "U1") -> None:
        """Choose a global shortcut."""
        payload = {
            "type": "shortcut",
            "callback_id": name,
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "trigger_id": self.views.trigger(),
        }
        self.deliver("interactive", payload, f"S{next(self._counter)}")

    def submit(self, *, channel: str = "C1", user: str = "U1", **chosen: str) -> Reply:
        """Fill in the window that is open, and send it. chosen: by the field's name; the rest is left as it is."""
        view = self.views.newest
        values: dict[str, Json] = {}
        for block in view["blocks"]:
            element, name = block["element"], block["block_id"]
            kind = element["type"]
            if kind == "conversations_select":
                value = {"selected_conversation": channel}
            elif kind == "static_select":
                options = {option["value"]: option for option in element["options"]}
                value = {"selected_option": options[chosen.get(name, element["initial_option"]["value"])]}
            elif kind == "timepicker":
                value = {"selected_time": chosen.get(name, element["initial_time"])}
            else:
                value = {"value": chosen.get(name, element.get("initial_value"))}
            values[name] = {element["action_id"]: {"type": kind, **value}}
        payload = {
            "type": "view_submission",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "view": {"type": "modal", "callback_id": view["callback_id"], "state": {"values": values}},
            "trigger_id": self.views.trigger(),
        }
        return self._speak("interactive", payload, channel, user, 1, 1)

    def messages(self, channel: str) -> list[Seen]:
        """What was pushed to a channel, oldest first."""
        return [seen for seen in list(self.posted) if seen.channel == channel]

    def wait_for(self, true: Callable[[], object], timeout: float = 30) -> None:
        """Until this holds, looked at whenever something happens here."""
        deadline = time.monotonic() + timeout
        with self._change:
            while not true():
                assert time.monotonic() < deadline, f"waited {timeout} s in vain; calls: {self.calls[-5:]}"
                self._change.wait(0.05)

    def _speak(self, kind: str, payload: Json, channel: str, user: str, answers: int, times: int) -> Reply:
        key = f"E{next(self._counter)}"
        reply = self._replies[key] = Reply(key)
        url = f"{self.web.url}/answer/{key}?channel={channel}&user={user}"
        if payload.get("type") == "view_submission":
            payload |= {"response_urls": [{"channel_id": channel, "response_url": url}]}
        else:
            payload |= {"response_url": url}
        self.deliver(kind, payload, key, times, reply)
        self.wait_for(lambda: len(reply.answers) >= answers)
        return reply

    def deliver(self, kind: str, payload: Json, key: str, times: int = 1, reply: Reply | None = None) -> None:
        """Bring something to the bot, by the road it chose, until it acknowledges."""
        if self.courier is None:
            self.wait_for(lambda: self._line is not None)
        began = time.monotonic()
        for _ in range(times):
            if self.courier is not None:
                self._bring(kind, payload, key)
            else:
                self.push({"type": kind, "envelope_id": key, "payload": payload, "accepts_response_payload": True})
        self.wait_for(lambda: key in self._acked)
        if reply is not None:
            reply.acked_after = self._acked[key] - began

    def _bring(self, kind: str, payload: Json, key: str) -> None:
        """Until it is taken: a bot that is not up yet will be."""
        assert self.courier is not None
        deadline = time.monotonic() + 30
        while (answer := self.courier.bring(kind, payload)) != (200, b""):
            assert time.monotonic() < deadline, f"acknowledged with {answer}"
            time.sleep(0.05)
        self._acked.setdefault(key, time.monotonic())

    # --- the wire's side -----------------------------------------------------

    def push(self, envelope: Json) -> None:
        """An envelope as it is, down the socket."""
        line = self._line
        assert line is not None
        asyncio.run_coroutine_threadsafe(line.send_str(json.dumps(envelope)), self._loop).result(5)

    def drop(self, how: Drop) -> None:
        """End the socket: by Slack's own message, a close, a cut wire, or by not answering any more."""
        line = self._line
        assert line is not None
        self._gone(line)
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._drop(line, how)))

    async def _drop(self, line: web.WebSocketResponse, how: Drop) -> None:
        if how == "disconnect":
            await line.send_json({"type": "disconnect", "reason": "refresh_requested"})
        elif how == "close":
            await line.close()
        elif how == "silence":
            self._silent.add(line)
        elif (request := line._req) and request.transport:
            request.transport.abort()

    def refuse_link(self, times: int = 1) -> None:
        """The next sockets are answered 503; their tickets are spent all the same."""
        self._refuse_links = times

    def fail(self, method: str, *errors: str) -> None:
        """The next calls of a Web API method are refused, one error each."""
        self._errors.setdefault(method, []).extend(errors)

    def lose_answer(self, method: str, times: int = 1) -> None:
        """The next calls are carried out, and the line is cut before the answer."""
        self.web.fault(f"/api/{method}", reset_after, times)

    def flood(self, channel: str, retry_after: int) -> None:
        """The next message to this channel is one too many."""
        self._floods[channel] = retry_after

    def limit(self, method: str, retry_after: int, times: int = 1) -> None:
        body = '{"ok": false, "error": "ratelimited"}'
        self.web.fault(f"/api/{method}", status(429, body, retry_after, "application/json"), times)


def _button(blocks: list[Json], label: str) -> Json:
    rows = [block for block in blocks if block["type"] == "actions"]
    found: Json = next(b for row in rows for b in row["elements"] if b["text"]["text"] == label)
    return found
