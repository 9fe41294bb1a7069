"""One message of every kind, made of fixed models, for the golden files of every chat."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from bot import due, stories, whys
from bot.alerts import REASONS, Correction, Fire, Step
from bot.compose import (
    about,
    alerts,
    attached,
    book,
    chart,
    chat,
    convert,
    digest,
    fired,
    fixings,
    news,
    operators,
    orders,
    pauses,
    periods,
    privacy,
    rates,
    sources,
    why,
)
from bot.compose import stories as compose_stories
from bot.compose.about import Entry
from bot.compose.convert import Transfer
from bot.compose.digest import Digest
from bot.compose.orders import Change, Preview
from bot.compose.pages import page_of
from bot.compose.sources import SourceLine, Status
from bot.locales import Tongue, languages, tongue
from bot.message import Message, Paragraph
from bot.models import (
    Address,
    Alert,
    Announced,
    Article,
    Board,
    ChatSettings,
    Content,
    Feed,
    Health,
    NewsPage,
    Quiet,
    Quote,
    RateKind,
    Record,
    Schedule,
    Sight,
    Subscription,
)
from bot.pairs import RateHistory, turn
from bot.periods import Day, Period
from bot.places import CAPITALS, own_name
from tests.sights import alert, sight

NOW = datetime(2026, 11, 23, 4, 40, tzinfo=UTC)
TODAY, YESTERDAY = date(2026, 11, 23), date(2026, 11, 22)
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
    made = (_rates, _charts, _news, _stories, _chat, _alerts, _about, _operators)
    return {name: message for each in made for name, message in each(speech).items()}


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
        "rate-of-a-day": rates.one(BOARD.quotes[1], speech, on=TODAY, before=YESTERDAY),
        "month": periods.period(MONTH, BOARD.quotes[0], speech, TODAY, month=True),
        "span": periods.period(replace(MONTH, days=MONTH.days[:3]), BOARD.quotes[0], speech, TODAY, month=False),
        "conversion": convert.conversion(Decimal("1000.50"), BOARD.quotes[0], speech, before=YESTERDAY),
        "conversion-tiny": convert.conversion(Decimal(1), turn(BOARD.quotes[2]), speech, on=TODAY, before=YESTERDAY),
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
        "my-data": privacy.exported({"chats": [{"chat": "42", "zone": ZONE}]}, Address("telegram", "42"), NOW, speech),
        "privacy": privacy.privacy(90, speech),
        "forget": privacy.asked_to_forget(speech, private=True),
        "attachment-lost": Message((Paragraph("…"), *attached.lost(file, speech), attached.elsewhere(speech))),
    }


def _news(speech: Tongue) -> dict[str, Message]:
    def page(numbers: range, total: int, skipped: int, query: str = "summit", *, capped: bool = False) -> Message:
        found = NewsPage(tuple(article(number) for number in numbers), total, capped, skipped)
        return news.page(found, query, speech, ZONE, OUTLETS, today=TODAY)

    stories = [(article(7), article(2)), *((article(number),) for number in range(6, 2, -1))]
    moved = Board((replace(BOARD.quotes[0], day=Decimal("0.77")), *BOARD.quotes[1:]))
    day_before = NOW - timedelta(days=1)
    full = Digest(TODAY, day_before, [*stories, *[stories[1]] * 12], moved, {"KZT": [article(1)]}, "country:kz")
    pushed = [news.article(article(number), OUTLETS["timesca"], speech, ZONE) for number in (1, 5, 7)]
    return {
        "latest": page(range(7, 1, -1), 7, 0),
        "latest-next": page(range(1, 0, -1), 7, 6),
        "latest-capped": page(range(7, 5, -1), 1000, 0, "", capped=True),
        "latest-none": page(range(0), 0, 0, "unicorn"),
        "latest-empty": page(range(0), 0, 0, ""),
        "article": news.article(article(3), OUTLETS["timesca"], speech, ZONE),
        "digest": digest.digest(full, speech, ZONE, OUTLETS),
        "digest-empty": digest.digest(Digest(TODAY, day_before, []), speech, ZONE, OUTLETS),
        "bundle": digest.bundle(pushed, speech),
    }


def _stories(speech: Tongue) -> dict[str, Message]:
    """A summit as two outlets tell it, one of them twice."""
    pieces = [
        replace(article(7), title="Summit of five agrees on water", story=107),
        replace(article(6), title="Five agree on water at summit", story=107, source="akchabar"),
        replace(article(3), story=107),
    ]
    (told,) = stories.stories(pieces)
    (alone,) = stories.stories([article(1)])
    found = NewsPage((pieces[0], article(5)), 2, capped=False, skipped=0)
    also_in = stories.also_in(found.articles, pieces, ())
    place = {"tongue": speech, "zone": ZONE, "outlets": OUTLETS, "today": TODAY}
    followed = replace(pieces[0], follows=pieces[1].title)
    cited = replace(article(4), opinion=True)
    return {
        "latest-told-twice": news.page(found, "", speech, ZONE, OUTLETS, today=TODAY, also_in=also_in),
        "article-follow-up": news.article(followed, OUTLETS["timesca"], speech, ZONE),
        "story": compose_stories.story(told, stories.follow_ups(pieces), **place),
        "story-alone": compose_stories.story(alone, (), **place),
        "stories": compose_stories.recent([told], **place),
        "stories-none": compose_stories.recent([], **place),
        "citation": compose_stories.citation(article(1), OUTLETS["timesca"], speech, ZONE, unasked=True),
        "citation-odd": compose_stories.citation(cited, OUTLETS["akchabar"], speech, ZONE, unasked=False),
        "citation-none": compose_stories.nothing_to_cite(speech),
    }


def _chat(speech: Tongue) -> dict[str, Message]:
    own_names = {code: own_name(code) for code in languages()}
    moved = due.replan(DAILY, "Asia/Bishkek", ZONE, NOW)
    news_of_a_day = Digest(TODAY, NOW - timedelta(days=1), [(article(6),), (article(5),)])
    preview = Preview(digest.digest(news_of_a_day, speech, ZONE, OUTLETS), 2)
    quiet_day = Preview(digest.digest(replace(news_of_a_day, stories=[]), speech, ZONE, OUTLETS), 0)
    changed = Change(DAILY, 1, replace(DAILY, schedule=Schedule("daily", time(8))), tomorrow=True)
    paused = replace(WEEKLY, paused_at=NOW, paused_until=NOW + timedelta(days=9))
    many = [replace(paused if n == 4 else WEEKLY if n % 2 else DAILY, id=n) for n in range(1, 8)]
    chosen = ChatSettings(HERE, ZONE, speech.code, Quiet(time(22), time(7)))
    return {
        "subscribed": orders.subscribed(Change(DAILY, 1), preview, speech, ZONE, first=True),
        "subscribed-changed": orders.subscribed(changed, preview, speech, ZONE, first=False),
        "subscribed-instant": orders.subscribed(Change(INSTANT, 3), quiet_day, speech, ZONE, first=False),
        "subscribe-preview": orders.previewed(WEEKLY, preview, speech, ZONE),
        "follow": orders.what_to_follow(speech),
        "list": orders.orders(page_of([DAILY, WEEKLY, replace(INSTANT, paused_at=NOW)], 0), speech, ZONE, NOW),
        "list-long": orders.orders(page_of(many, 0), speech, ZONE, NOW),
        "list-end": orders.orders(page_of(many, 6), speech, ZONE, NOW),
        "list-one": orders.one_order(WEEKLY, 2, 0, speech, ZONE, NOW),
        "list-none": orders.orders(page_of([], 0), speech, ZONE, NOW),
        "paused": pauses.paused([replace(DAILY, paused_at=NOW)], 2, None, speech, ZONE),
        "paused-until": pauses.paused([paused, paused], 0, paused.paused_until, speech, ZONE),
        "resume": pauses.ask_missed("id:1", [replace(DAILY, paused_at=NOW)], speech, ZONE),
        "resumed": pauses.resumed([DAILY], 1, [preview.digest], speech, ZONE),
        "resumed-none": pauses.nothing_paused(speech),
        "unsubscribe": orders.which_to_end([DAILY, WEEKLY, INSTANT], speech),
        "unsubscribed": orders.unsubscribed(WEEKLY, 2, speech),
        "quiet": chat.quiet(Quiet(time(22), time(7)), ZONE, speech, asked=True),
        "quiet-set": chat.quiet(Quiet(time(22), time(7), hold=False), ZONE, speech, asked=False),
        "quiet-none": chat.quiet(None, ZONE, speech, asked=True),
        "settings-corrections": book.corrections(speech, edits=True),
        "settings-followups": book.follow_ups(speech, threads=True),
        "settings": chat.settings(chosen, own_name(speech.code), [DAILY, paused], [LINE], speech, NOW),
        "timezone": chat.timezone(ZONE, speech, NOW, CAPITALS, locates=True),
        "timezone-set": chat.timezone_set("Asia/Bishkek", speech, NOW, [moved], located=True),
        "timezone-where": chat.locate(speech),
        "language": chat.language(speech, own_names, asked=True),
        "language-set": chat.language(speech, own_names, asked=False),
        "source-remove": sources.remove(Feed("lake-1", "Lake", "https://lake.example/feed/", "en"), speech),
        "sources": sources.sources(LINES, speech, NOW),
        "status": sources.status(_status(), speech, NOW),
    }


LINE = alert("above", "440", standing=True, armed=False, fired_at=NOW, told_on=TODAY, told_rate=Decimal("440.77"))
MOVE = alert("move", "1.5", id=4, days=7, expires_at=datetime(2026, 12, 31, 19, tzinfo=UTC))
TINY = alert("below", "0.000083", id=5, base="UZS", quote="USD", snoozed_until=NOW + timedelta(days=1))
SEEN = sight("436.20", "-", "-", "438.00", "439.10", "440.77", last=date(2026, 11, 24))
TINY_SEEN = replace(SEEN, quote=turn(BOARD.quotes[2]), days=((TODAY, Decimal("0.00008483112")),), tick=Decimal("1e-10"))
ROSE = Step(Decimal("440.77"), date(2026, 11, 24), Decimal("439.10"), TODAY)


def _alerts(speech: Tongue) -> dict[str, Message]:
    def told(order: Alert, step: Step, seen: Sight, *headlines: Article) -> Message:
        return fired.fired(Fire(order, step), fired.facts(step, seen, headlines, speech, ZONE, OUTLETS), speech)

    turned = Step(Decimal("0.00008283112"), TODAY, Decimal("0.00008483112"), date(2026, 11, 20))
    why_it = whys.of_alert(LINE, ROSE, SEEN)
    headlines = [article(7), article(6)]
    sent = Record(
        120,
        "alert:3:2026-11-24",
        "alert",
        "sent",
        told(LINE, ROSE, SEEN),
        NOW - timedelta(hours=2),
        NOW - timedelta(hours=1),
        "",
        why_it,
    )
    held = replace(sent, id=119, state="withheld", detail=REASONS["step"])
    pushed = Record(
        118,
        "e",
        "article",
        "failed",
        news.article(article(3), "Outlet", speech, ZONE),
        NOW,
        NOW,
        "too long",
        {"subscription": "2", "words": "water", "countries": "KZ,UZ"},
    )
    return {
        "alert-fired": told(LINE, ROSE, SEEN, *headlines),
        "alert-fired-once": told(TINY, turned, TINY_SEEN),
        "alert-fired-move": told(MOVE, ROSE, SEEN),
        "alert-corrected": fired.corrected(Correction(LINE, ROSE, Decimal("441.10"), holds=True), SEEN, speech),
        "alert-undone": fired.corrected(Correction(MOVE, ROSE, Decimal("441.10"), holds=False), SEEN, speech),
        "alert-set": alerts.set_(MOVE, SEEN, speech, ZONE, edited=False),
        "alert-set-already": alerts.set_(replace(LINE, standing=False), SEEN, speech, ZONE, edited=True),
        "alert-set-blind": alerts.set_(TINY, BOARD.quotes[1], speech, ZONE, edited=False),
        "alerts": alerts.alerts(
            page_of([LINE, replace(MOVE, paused_at=NOW), TINY], 0), [SEEN, SEEN, TINY_SEEN], speech, ZONE, NOW
        ),
        "alerts-none": alerts.alerts(page_of([], 0), [], speech, ZONE, NOW),
        "alert-ended": alerts.ended(LINE, 2, speech, ZONE),
        "alert-snoozed": alerts.snoozed(TINY, speech, ZONE),
        "alert-picker": alerts.picker(BOARD.quotes, speech),
        "alert-picker-one": alerts.picker(BOARD.quotes[:1], speech),
        "alert-picker-peg": alerts.picker(BOARD.quotes[4:], speech),
        "why": why.latest([sent, held, pushed], speech, ZONE),
        "why-none": why.latest([], speech, ZONE),
        "why-sent": why.one(sent, LINE, None, speech, ZONE),
        "why-withheld": why.one(held, None, None, speech, ZONE),
        "why-article": why.one(pushed, None, WEEKLY, speech, ZONE),
        "why-alert": why.of_alert(LINE, SEEN, [sent, held], speech, ZONE),
        "why-alert-armed": why.of_alert(TINY, TINY_SEEN, [], speech, ZONE),
        "why-alert-move": why.of_alert(MOVE, SEEN, [], speech, ZONE),
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
        "start": about.start(
            ChatSettings(HERE, ZONE, speech.code),
            own_name(speech.code),
            BOARD,
            news.headlines([article(n) for n in (7, 6, 5)], speech, ZONE, OUTLETS, today=TODAY),
            CAPITALS,
            speech,
        ),
        "help": about.help_all(ENTRIES, speech),
        "help-one": about.help_one(ENTRIES[0], speech),
        "version": about.version("0.1.0", speech),
        "refusal": about.refusal("25:00 is not a time of day.", "Say it from 00:00 to 23:59."),
        "unknown": about.refusal(sentence, hint, nearest="/rates"),
        "restarted": about.restarted("/unsubscribe 1", speech),
        "sorry": about.refusal(*about.sorry("7f3a", speech)),
    }
