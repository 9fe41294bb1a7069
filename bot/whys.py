"""Why something was sent, or was not: what is noted beside an outbox row, for /why. Pure."""

from __future__ import annotations

from bot.alerts import Step
from bot.models import Alert, Article, Record, Sight, Subscription
from bot.money import exact_text
from bot.wanted import Reading, matches


def of_alert(alert: Alert, step: Step, sight: Sight) -> dict[str, str]:
    """What an alert looked at: the two figures with their dates, one step of the source, the road."""
    return {
        "alert": str(alert.id),
        "rate": exact_text(step.rate),
        "on": step.on.isoformat(),
        "before": exact_text(step.before),
        "before_on": step.before_on.isoformat(),
        "tick": exact_text(sight.tick),
        "source": sight.quote.source,
    }


def of_article(subscription: Subscription, article: Article, terms: Reading) -> dict[str, str]:
    """Which subscription wanted it, and which of its words and countries it has. terms: of the article."""
    wanted = subscription.content
    matched = [word for word in wanted.words if matches((word,), (), terms)]
    countries = [code for code in wanted.countries if code in article.countries]
    return {"subscription": str(subscription.id), "words": ", ".join(matched), "countries": ",".join(countries)}


def subscription_of(record: Record) -> str:
    """The id of the subscription a row came by, "" for none: digests are named after theirs."""
    kind, _, rest = record.event.partition(":")
    return record.why.get("subscription") or (rest.partition(":")[0] if kind == "digest" else "")
