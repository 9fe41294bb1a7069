"""What the operators must know of the machinery itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.compose.moments import number, span
from bot.compose.sources import SourceLine, failure, flaw
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Message, Paragraph
from bot.models import PollState

MOST_TROUBLED = 20


def telegram_poison(key: str, tries: int, tongue: Tongue) -> Message:
    """An update was put aside because the process died over it. key: its number."""
    return _told(
        tongue.say(
            "Telegram's update {key} stopped me {count} times. I have put it aside unanswered; the log says more.",
            key=key,
            count=tries,
        )
    )


def telegram_conflict(tongue: Tongue) -> Message:
    """Somebody else fetches our updates."""
    return _told(tongue.say("Another program uses this Telegram token and takes my updates. Stop one of the two."))


def telegram_refused(tongue: Tongue) -> Message:
    """Our token is refused, though it was good once."""
    return _told(
        tongue.say("Telegram refuses TELEGRAM_BOT_TOKEN. Get a new one from @BotFather and start me again with it.")
    )


def telegram_webhook(trouble: str, tongue: Tongue) -> Message:
    """Telegram cannot reach our webhook. trouble: in its own words."""
    return _told(
        tongue.say("Telegram cannot bring updates to TELEGRAM_WEBHOOK_URL. It says: {trouble}", trouble=trouble)
    )


def troubled(lines: Sequence[SourceLine], states: Mapping[str, PollState], tongue: Tongue, now: datetime) -> Message:
    """The sources of all chats that do not answer, since how many looks and when the next one is; those that
    answer, but not well."""
    asked = [line for line in lines if line.url and not line.spare]
    failing = [line for line in lines if line.error]
    faulty = [line for line in lines if line.note and not line.error]
    well = len([line for line in asked if line.last_ok and not line.error])
    told = ["; ".join((failure(line, tongue, now), _looks(states[line.id], tongue, now))) for line in failing] + [
        flaw(line, tongue) for line in faulty
    ]
    more = len(told) - MOST_TROUBLED
    count = tongue.say("{well} of {all} answer", well=well, all=len(asked))
    blocks: list[Block] = [Heading(tongue.say("Sources")), Paragraph(count)]
    blocks += [Paragraph(one) for one in told[:MOST_TROUBLED]]
    if more > 0:
        blocks.append(Paragraph(tongue.count("And {n} more.", "And {n} more.", more)))
    return Message(tuple(blocks))


def asked_to_broadcast(text: str, chats: int, tongue: Tongue) -> Message:
    """What every chat would read, and the button that sends it."""
    if not chats:
        return _told(tongue.say("Nobody has subscribed to anything, so nobody would hear it."))
    question = tongue.count("{n} chat would get this, as it stands:", "{n} chats would get this, as it stands:", chats)
    send = Button(tongue.say("Send it"), f"/admin broadcast-now {text}")
    return Message((Paragraph(question), Paragraph(text, quoted=True)), (send,))


def broadcast(text: str) -> Message:
    """The operators' own words."""
    return Message((Paragraph(text, quoted=True),))


def broadcasting(chats: int, tongue: Tongue) -> Message:
    """It is on its way. chats: 0 if it was before."""
    if not chats:
        return _told(tongue.say("That was sent today already; it is not sent twice."))
    return _told(tongue.count("It goes to {n} chat now.", "It goes to {n} chats now.", chats))


def backed_up(name: str, size: int, tongue: Tongue) -> Message:
    """A backup was made beside the database. size: bytes."""
    told = tongue.say(
        "{name} in the folder backups beside the database: {size} bytes, read through and whole.",
        name=name,
        size=number(size, tongue),
    )
    return _told(told)


def _looks(state: PollState, tongue: Tongue, now: datetime) -> str:
    failed = tongue.count("{n} look failed", "{n} looks in a row failed", state.failures)
    if state.next_poll_at is None:
        return failed
    following = tongue.say("the next is in {span}", span=span(state.next_poll_at - now, tongue))
    return f"{failed}, {following}"


def _told(text: str) -> Message:
    return Message((Paragraph(text),))
