"""One message of every kind, made of fixed models, for the golden files of every chat."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from bot import rules
from bot.compose import about, attached, chart, chat, convert, digest, fixings, news, operators, periods, rates, sources
from bot.compose.about import Entry
from bot.compose.convert import Transfer
from bot.compose.sources import SourceLine, Status
from bot.locales import Tongue, languages, tongue
from bot.message import Message, Paragraph
from bot.models import (
    Address,
    Announced,
    Article,
    Board,
    Content,
    Health,
    NewsPage,
    Quote,
    RateKind,
    Schedule,
    Subscription,
)
from bot.pairs import RateHistory, turn
from bot.periods import Day, Period
from bot.places import CAPITALS, own_name

NOW = datetime(2026, 11, 23, 4, 40, tzinfo=UTC)
TODAY = date(2026, 11, 23)
ZONE = "Asia/Almaty"
HERE = Address("console", "local")
OUTLETS = {"timesca": "The Times of Central Asia", "akchabar": "Акчабар"}

BOARD = Board(
    (
        Quote(
            "USD",
            "KZT",
            "nbk",
            "official",
            Decimal("442.05"),
            TODAY,
            announced=Announced(Decimal("440.77"), date(2026, 11, 24)),
            day=Decimal("0.31"),
            week=Decimal("-1.20"),
            month=Decimal("2.45"),
        ),
        Quote("USD", "KGS", "nbkr", "official", Decimal("87.4500"), TODAY, day=Decimal("0.00"), week=Decimal("0.01")),
        Quote("USD", "UZS", "cbu", "official", Decimal("11788.12"), TODAY, day=Decimal("-0.09")),
        Quote("USD", "TJS", "nbt", "official", Decimal("9.2541"), date(2026, 11, 18), stale=True, day=Decimal("0.12")),
        Quote("USD", "TMT", "cbt", "peg", Decimal("3.5"), date(2015, 1, 1)),
    )
)
EURO = Quote("EUR", "KZT", "nbk", "official", Decimal("547.22"), TODAY, day=Decimal("-0.15"), issuers=("nbk",))
CROSS = Quote(
    "EUR",
    "TMT",
    "cbt+nbk",
    "cross",
    Decimal("3.5") * Decimal("547.22") / Decimal("472.31"),
    date(2026, 11, 21),
    day=Decimal("0.44"),
    week=Decimal("-0.001"),
    issuers=("cbt", "nbk"),
)
MONTH = Period(
    "USD",
    "KZT",
    "nbk",
    "official",
    ("nbk",),
    date(2026, 11, 1),
    TODAY,
    tuple(Day(date(2026, 11, n), date(2026, 11, n), Decimal(f"{440 + n % 7}.{n:02}")) for n in range(12, 24)),
)


def article(number: int, **changes: object) -> Article:
    """The article of this number; an older one has a smaller number."""
    written = {
        1: ("Water ministers agree on a winter schedule", "The five states settled when reservoirs release water."),
        2: ("Саммит в Астане перенесён на декабрь", "Новую дату назовут на этой неделе. Повестка прежняя."),
        3: ("Opinion: what a C5+1 summit can & cannot do", "Promises are cheap; corridors are not."),
        4: ("<b>Bold</b> claims about [gas] & <!channel> noise", "A title that tries to be *markup* _everywhere_."),
        5: ("Rail link: first 40 km laid", ""),
        6: (
            "A headline so long that it has to go over the edge of any line that is only eighty columns wide",
            "Short.",
        ),
        7: ("Cotton harvest ends early", "Farmers in the south finished two weeks ahead of plan."),
    }
    title, lead = written[number]
    known: dict[str, object] = {
        "source": "akchabar" if number == 2 else "timesca",
        "guid": f"guid-{number}",
        "url": f"https://news.example/2026/11/{number}/an-address-that-nobody-may-wrap-{'x' * 12 * number}/",
        "title": title,
        "lead": lead,
        "text": lead,
        "published": NOW - timedelta(hours=9 * (8 - number)),
        "opinion": number == 3,
        "countries": ("KZ",),
        "id": 100 + number,
    }
    return Article(**(known | changes))  # type: ignore[arg-type]


def subscription(number: int, schedule: Schedule, content: Content, due: datetime | None) -> Subscription:
    return Subscription(number, HERE, schedule, content, created_at=NOW, next_due=due)


DAILY = subscription(1, Schedule("daily", time(9)), Content(), datetime(2026, 11, 24, 4, tzinfo=UTC))
WEEKLY = subscription(
    2,
    Schedule("weekly", time(18, 30), 4),
    Content(("water",), ("KZ", "UZ"), rates=True),
    datetime(2026, 11, 27, 13, 30, tzinfo=UTC),
)
INSTANT = subscription(3, Schedule("instant"), Content(("summit",), rates=False), None)

LINES = (
    SourceLine(
        "nbk", "rates", "National Bank of Kazakhstan", "https://bank.example/kz", NOW - timedelta(minutes=4), "", 39
    ),
    SourceLine("nbkr", "rates", "National Bank of Kyrgyzstan", "https://bank.example/kg", None, "HTTP 503"),
    SourceLine("cbt", "rates", "Central Bank of Turkmenistan", ""),
    SourceLine("nbk_all", "rates", "National Bank of Kazakhstan", "https://b.example/", document="nbk_all", spare=True),
    SourceLine("timesca", "news", OUTLETS["timesca"], "https://news.example/feed/", NOW - timedelta(hours=1), "", 10),
    SourceLine(
        "akchabar", "news", OUTLETS["akchabar"], "https://ak.example/rss", NOW - timedelta(days=2), "no feed", 20
    ),
    SourceLine("new", "news", "A feed added just now", "https://new.example/rss"),
)

ENTRIES = (
    Entry("rates", "rates", "The official rates.", "[KZT | USD/KZT]", ("/rates", "/rates KZT")),
    Entry("latest", "news", "The latest news, or what there is about your words.", "[words]", ("/latest summit",)),
    Entry("help", "about", "Everything I understand, or one command in full.", "[command]", ("/help rates",)),
)


def kinds(language: str = "en") -> dict[str, Message]:
    """name -> Message, one for each kind of message there is, in this language."""
    speech = tongue(language)
    return {
        **_rates(speech),
        **_charts(speech),
        **_news(speech),
        **_chat(speech),
        **_about(speech),
        **_operators(speech),
    }


def _rates(speech: Tongue) -> dict[str, Message]:
    missing = Quote("USD", "KGS", "nbkr", "official", reason="no answer from its source yet")
    usd = BOARD.quotes[0]
    return {
        "board": rates.board(BOARD, speech, spans=True),
        "board-euro": rates.board(Board((EURO, CROSS)), speech),
        "rate": rates.one(BOARD.quotes[0], speech),
        "rate-missing": rates.one(missing, speech),
        "rate-cross": rates.one(CROSS, speech),
        "rate-market": rates.one(replace(EURO, kind="market", source="collector", issuers=()), speech),
        "rate-of-a-day": rates.one(BOARD.quotes[1], speech, on=TODAY),
        "month": periods.period(MONTH, BOARD.quotes[0], speech, TODAY, month=True),
        "span": periods.period(replace(MONTH, days=MONTH.days[:3]), BOARD.quotes[0], speech, TODAY, month=False),
        "conversion": convert.conversion(Decimal("1000.50"), BOARD.quotes[0], speech),
        "conversion-tiny": convert.conversion(Decimal(1), turn(BOARD.quotes[2]), speech, on=TODAY),
        "conversion-missing": convert.conversion(Decimal(100), missing, speech),
        "conversions": convert.conversions(Decimal(100), (*BOARD.quotes, missing), speech, on=TODAY),
        "sent": convert.sent(Transfer(Decimal(100), Decimal(1), "USD", Decimal("43762.95")), usd, MONTH, speech),
        "fixing": fixings.announcement(BOARD.quotes[0], speech),
    }


def history(base: str, quote: str, *figures: str, kind: RateKind = "official", days: int = 1) -> RateHistory:
    """One figure every `days` days, the last one of TODAY."""
    first = TODAY - timedelta(days=days * (len(figures) - 1))
    issuer = {"KZT": "nbk", "KGS": "nbkr", "UZS": "cbu", "TJS": "nbt"}.get(quote, "cbu")
    stood = tuple((first + timedelta(days=n * days), Decimal(figure)) for n, figure in enumerate(figures))
    return RateHistory(base, quote, issuer, kind, stood, (issuer,))


def _charts(speech: Tongue) -> dict[str, Message]:
    month = history("USD", "KZT", "466.20", "467.01", "470.50", "465.27", "468.3", "473.25", "473.25", "471.12", days=4)
    tenth = ("0.0000840", "0.0000845012345678901234567890", "0.0000838")
    turned = history("UZS", "USD", *tenth, kind="cross", days=40)
    since = month.days[0][0]
    file = chart.export(history("USD", "KGS", "87.4500", "87.4600"), speech)
    return {
        "chart": chart.chart(month, since, speech),
        "chart-flat": chart.chart(history("USD", "TJS", "9.3371", "9.3371"), since, speech),
        "chart-cross": chart.chart(turned, turned.days[0][0], speech),
        "export": file,
        "exports": chart.exports(speech),
        "attachment-lost": Message((Paragraph("…"), *attached.lost(file, speech), attached.elsewhere(speech))),
    }


def _news(speech: Tongue) -> dict[str, Message]:
    def page(numbers: range, total: int, skipped: int, query: str = "summit", *, capped: bool = False) -> Message:
        found = NewsPage(tuple(article(number) for number in numbers), total, capped, skipped)
        return news.page(found, query, speech, ZONE, OUTLETS, today=TODAY)

    stories = [article(number) for number in range(7, 1, -1)]
    board = rates.board(BOARD, speech)
    return {
        "latest": page(range(7, 1, -1), 7, 0),
        "latest-next": page(range(1, 0, -1), 7, 6),
        "latest-capped": page(range(7, 5, -1), 1000, 0, "", capped=True),
        "latest-none": page(range(0), 0, 0, "unicorn"),
        "latest-empty": page(range(0), 0, 0, ""),
        "article": news.article(article(3), OUTLETS["timesca"], speech, ZONE),
        "digest": digest.digest(stories, 12, board, speech, ZONE, TODAY, OUTLETS),
        "digest-empty": digest.digest([], 0, None, speech, ZONE, TODAY, OUTLETS, since=NOW - timedelta(days=1)),
    }


def _chat(speech: Tongue) -> dict[str, Message]:
    own_names = {code: own_name(code) for code in languages()}
    moved = rules.replan(DAILY, "Asia/Bishkek", ZONE, NOW)
    place = {"capitals": CAPITALS, "moved": ()}
    return {
        "subscribed": chat.subscribed(DAILY, speech, ZONE, edited=False, tomorrow=False),
        "subscribed-changed": chat.subscribed(DAILY, speech, ZONE, edited=True, tomorrow=True),
        "subscribed-instant": chat.subscribed(INSTANT, speech, ZONE, edited=False, tomorrow=False),
        "list": chat.orders([DAILY, WEEKLY, INSTANT], speech, ZONE),
        "list-none": chat.orders([], speech, ZONE),
        "unsubscribe": chat.which_to_end([DAILY, WEEKLY, INSTANT], speech),
        "unsubscribed": chat.unsubscribed(WEEKLY, 2, speech),
        "timezone": chat.timezone(ZONE, speech, NOW, asked=True, **place),
        "timezone-set": chat.timezone("Asia/Bishkek", speech, NOW, asked=False, capitals=CAPITALS, moved=[moved]),
        "language": chat.language(speech, own_names, asked=True),
        "language-set": chat.language(speech, own_names, asked=False),
        "sources": sources.sources(LINES, speech, NOW),
        "status": sources.status(_status(), speech, NOW),
    }


def _status() -> Status:
    return Status(
        version="0.1.0",
        address=Address("console", "local", "7"),
        zone=ZONE,
        next_digest=DAILY.next_due,
        last=(NOW - timedelta(hours=3), "digest", "sent"),
        lines=LINES,
        health={"deliver": Health(ok=True), "slack": Health(ok=False, detail="reconnecting")},
    )


def _operators(speech: Tongue) -> dict[str, Message]:
    return {
        "told-of-poison": operators.telegram_poison("734", 6, speech),
        "told-of-conflict": operators.telegram_conflict(speech),
        "told-of-refusal": operators.telegram_refused(speech),
        "told-of-webhook": operators.telegram_webhook("Wrong response from the webhook: 502 Bad Gateway", speech),
    }


def _about(speech: Tongue) -> dict[str, Message]:
    sentence, hint = about.unknown("/raets", "/rates", speech)
    return {
        "start": about.start(ZONE, speech),
        "help": about.help_all(ENTRIES, speech),
        "help-one": about.help_one(ENTRIES[0], speech),
        "version": about.version("0.1.0", speech),
        "refusal": about.refusal("25:00 is not a time of day.", "Say it from 00:00 to 23:59."),
        "unknown": about.refusal(sentence, hint, nearest="/rates"),
        "restarted": about.restarted("/unsubscribe 1", speech),
        "sorry": about.refusal(*about.sorry("7f3a", speech)),
    }
