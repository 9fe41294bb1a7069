"""Whatever people type, press or ask inline: it is answered, in what Telegram can read, and forgeries do nothing."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from random import Random

import pytest
import structlog

from handlers.menu.registry import commands
from tests.library import PIECES, hostile
from tests.surface import CHANNEL, GROUP, Surface, open_surface
from tests.tally import Tell

VICTIM, CREATOR = 50, 51
PEOPLE = range(100, 140)
GROUPS, FORUMS = range(-2040, -2000), range(-3040, -3000)
"""Many: Telegram takes no more than twenty messages a minute in each."""
GROUP_SHARE, VICTIM_SHARE = 0.03, 0.1
WORDS = [
    *PIECES[:-6], "KZT", "usd/kzt", "100", "1 000,50", "٣٠", "１００", "५", "30d", "2026-11-23", "2026-02-31", "> 520",
    "1% day", "daily 09:00", "instant", "weekly mon", "25:61", "id:1", "1", "a1", "end 1", "add x.example", "zone Asia",
    "remove lake-1", "zone Europe 9999", "quiet 22", "topics water", "digest daily", "@prices_kz", "@nobody_knows",
    "<b>x</b>", "&amp;&#0;&lt;", "<a href='tg://user?id=1'>x</a>", "ru", "tg", "Asia/Almaty", "22:00-07:00", "off",
    "alert_KZT_520", "\u202etxet", "👩‍👩‍👧", "{x}", "%s", "\u0600", "סדר", "عربي", "ქართული",
    "after:3", "after:0 id:1", "undo 1",
]  # fmt: skip
UNFIT = ("parse", "too long", "empty", "BUTTON", "RESULT", "encoded", "MESSAGE_TOO_LONG", "unknown parameters")
"""What Telegram says of what it cannot read; that a chat or a message is not there is no fault of ours."""


def line(chance: Random) -> str:
    words = " ".join(chance.choices(WORDS, k=chance.randrange(4)))
    if chance.random() < 0.2:
        return hostile(chance)
    name = chance.choice([*commands(), "admin", "nonsense"])
    return f"{chance.choice(['/', '/', '/', ''])}{name}{chance.choice(['', '', '@YamchiTestBot'])} {words}"


async def prepared(surface: Surface) -> list[str]:
    """A victim with something to lose in a private chat and in a group. Returns tokens: the victim's, the creator's."""
    surface.fake.member(GROUP, CREATOR, "creator")
    for chat, user in ((VICTIM, VICTIM), (GROUP, CREATOR)):
        surface.fake.open(chat, "private" if chat > 0 else "supergroup")
        for text in ("/subscribe daily 09:00", "/alert KZT > 520", "/language ru", "/sources add x.example"):
            await surface.say(chat, text, user_id=user)
        await surface.say(chat, f"/latest {'corridor ' * 9}", user_id=user)
    tokens = []
    for chat, user in ((VICTIM, VICTIM), (GROUP, CREATOR)):
        words = " ".join(f"word{n}" for n in range(12))
        said = await surface.say(chat, f"/subscribe preview daily 10:00 {words}", user_id=user)
        assert said is not None
        tokens += [data for data in said.buttons.values() if data.startswith("t:")]
    assert len(tokens) == 2
    return tokens


def belongings(surface: Surface) -> list[object]:
    """All that the victim and the group have."""
    chats = f"chat IN ('{VICTIM}', '{GROUP}', '{CHANNEL}')"
    tables = ("subscriptions", "alerts", "chats", "feed_readers")
    return [surface.rows(f"SELECT * FROM {table} WHERE {chats} ORDER BY 1") for table in tables]


def forged(chance: Random, tokens: list[str]) -> str:
    own = ["/unsubscribe 1", "/unsubscribe id:1", "/alerts end 1", "/settings quiet off", "/sources remove lake-1",
           "/language en", "/settings topics water", "/pause", "/follow x", "/timezone London", "/quiet off",
           "/alert KZT > 1", "/alerts undo 1"]  # fmt: skip
    return chance.choice([*tokens, "t:", "t:" + "A" * 24, "drop table", "\x00", "/", line(chance)[:64], *own])


@pytest.mark.parametrize("times", [300, pytest.param(10_000, marks=pytest.mark.chaos)])
async def test_nothing_people_send_breaks_anything(tmp_path: Path, times: int, tell: Tell):
    chance, ids = Random(times), count(1)
    async with open_surface(tmp_path) as surface:
        tokens = await prepared(surface)
        before, pressed = belongings(surface), len(surface.fake.pressed)
        surface.fake.rejected.clear()
        surface.asked.clear()
        with structlog.testing.capture_logs() as logs:
            tally = {"said": 0, "pressed": 0, "inline": 0}
            for start in range(0, times, 100):
                numbers = [one(surface, chance, tally, tokens, next(ids)) for _ in range(min(100, times - start))]
                await surface.settled(*numbers)
        failed = [
            log for log in logs if log["event"] in ("update failed", "request failed", "Telegram refused our markup")
        ]
        assert failed == []
        assert [text for text in surface.fake.rejected if any(word in text for word in UNFIT)] == []
        assert len(surface.fake.pressed) - pressed == tally["pressed"]
        assert len(surface.fake.offered) == tally["inline"]
        assert belongings(surface) == before
        assert surface.rows("SELECT count(*) FROM inbox WHERE state = 'poison'") == [(0,)]
        told = ", ".join(f"{count} {kind}" for kind, count in tally.items())
        tell(f"fuzz: {told}: 0 unhandled, 0 refused by the parser, 0 effects of forgeries, every press answered")


def one(surface: Surface, chance: Random, tally: dict[str, int], tokens: list[str], number: int) -> int:
    """Something arrives from somebody. Returns the update's number."""
    kind, user = chance.choice(list(tally)), chance.choice(PEOPLE)
    tally[kind] += 1
    if kind == "inline":
        query = {"id": f"fuzz-{number}", "query": line(chance), "offset": "", "from": who(user)}
        return surface.fake.push({"inline_query": query})
    chat = chance.choice([user, user, chance.choice(GROUPS), chance.choice(FORUMS)])
    chat = GROUP if chance.random() < GROUP_SHARE else chat
    surface.fake.open(chat, "private" if chat > 0 else "supergroup", {5} if chat in FORUMS else None)
    if kind == "said":
        text, thread = line(chance), 5 if chat in FORUMS and chance.random() < 0.5 else None
        return surface.fake.say(chat, text, user_id=user, thread=thread)
    chat = VICTIM if chance.random() < VICTIM_SHARE else chat
    return surface.fake.press(chat, data=forged(chance, tokens), user_id=user)


def who(user: int) -> dict[str, object]:
    return {"id": user, "is_bot": False, "first_name": "A", "language_code": "uz"}
