"""/why: why something came here, or did not."""

from __future__ import annotations

from typing import Annotated, Final

from bot.compose import why as compose
from bot.errors import Refusal
from bot.locales import N_, tongue
from bot.message import Message
from bot.models import Alert, Answer, Request
from bot.sights import read_sight
from bot.whys import subscription_of
from handlers.menu.desk import Desk
from handlers.menu.registry import command

SHOWN: Final = 6
MOST_DIGITS: Final = 15


@command(group="digest")
async def why(desk: Desk, ask: Request, what: Annotated[str, "NUMBER | aNUMBER of an alert"] = "") -> Answer:
    """Why something came here by itself, or was held back.

    /why
    /why a3
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    speech = tongue(settings.language)
    if not what:
        records = await desk.store.records(ask.address, SHOWN)
        return Answer(compose.latest(records, speech, settings.zone))
    alerts = await desk.store.alerts(ask.address)
    kind, number = _number(what)
    if kind == "a":
        return Answer(await _of_alert(desk, ask, _named(alerts, number)))
    records = await desk.store.records(ask.address, 1, number=int(number))
    if not records:
        raise Refusal(N_("Nothing of that number came here."), N_("/why shows the latest, /alerts the alerts."))
    record = records[0]
    orders = await desk.store.subscriptions(ask.address)
    alert = next((one for one in alerts if str(one.id) == record.why.get("alert")), None)
    order = next((one for one in orders if str(one.id) == subscription_of(record)), None)
    return Answer(compose.one(record, alert, order, speech, settings.zone))


async def _of_alert(desk: Desk, ask: Request, alert: Alert) -> Message:
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    sight = await read_sight(desk.store, desk.catalogue.roads, desk.clock(), alert.base, alert.quote)
    records = await desk.store.records(ask.address, SHOWN, event=f"alert:{alert.id}:")
    return compose.of_alert(alert, sight, records, tongue(settings.language), settings.zone)


def _named(alerts: list[Alert], number: str) -> Alert:
    found = next((one for one in alerts if str(one.id) == number), None)
    if found is None:
        raise Refusal(N_("This chat has no such alert."), N_("/alerts shows them with their numbers."))
    return found


def _number(what: str) -> tuple[str, str]:
    """("a", "3") of an alert, ("", "120") of a message."""
    said = what.casefold().replace("alert", "a").replace(" ", "").lstrip("#")
    kind, number = ("a", said[1:]) if said[:1] in ("a", "а") else ("", said)
    if not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
        raise Refusal(
            N_("I cannot read that."), N_("Say /why and a number, or /why a3 for alert 3; /why shows the latest.")
        )
    return kind, str(int(number))
