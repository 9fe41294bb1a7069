from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot import rules
from bot.models import (
    Address,
    Article,
    Content,
    Fixing,
    PollState,
    RateTable,
)
from bot.wanted import reading

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HERE = Address("console", "local")


def article(title: str = "A title", published: datetime = NOW, **more: object) -> Article:
    return Article("timesca", "1", "https://example.org/1", title, "A lead.", "A text.", published, **more)


def test_the_first_look_at_a_feed_announces_three():
    new = [(article(str(n), NOW - timedelta(hours=n)), ()) for n in range(9)]
    assert [a.title for a, _ in rules.worth_announcing(new, first_look=True)] == ["2", "1", "0"]
    assert len(rules.worth_announcing(new, first_look=False)) == 9


def test_any_known_key_makes_an_article_a_later_version():
    first, second, third = article("one"), article("two"), article("three")
    seen = [(first, ("g:1", "u:1")), (second, ("g:9", "u:2")), (third, ("g:8", "u:2"))]
    new, edited = rules.sort_news(seen, {"u:1": 77})
    assert new == [(second, ("g:9", "u:2"))]
    assert edited == {77: (first, ["g:1"])}


def test_a_filter_wants_every_word_in_any_form_and_none_of_the_excluded():
    def wants(content: Content, told: Article) -> bool:
        return rules.wants(content, told, reading(told))

    assert wants(Content(words=("SUMMIT", "leader")), article("Leaders meet at the summits"))
    assert not wants(Content(words=("mit",)), article("A summit"))
    assert not wants(Content(words=("summit",), excluded=("leader",)), article("Leaders meet at the summits"))
    assert wants(Content(words=("meet at",)), article("Leaders meet at the summits"))
    assert not wants(Content(words=("at meet",)), article("Leaders meet at the summits"))
    assert not wants(Content(words=("...",)), article("A summit"))
    assert not wants(Content(countries=("KZ",)), article(countries=("UZ",)))


def test_a_filter_looks_where_it_is_told():
    opinion = article("A summit of sport", opinion=True)
    assert rules.suits(Content(sources=("timesca",)), opinion)
    assert not rules.suits(Content(sources=("akchabar",)), opinion)
    assert not rules.suits(Content(opinion=False), opinion)
    assert rules.suits(Content(opinion=True), opinion)
    assert not rules.wants(Content(("summit",), opinion=False), opinion, reading(opinion))


def table(day: int, value: str) -> RateTable:
    return RateTable("nbk", "KZT", date(2026, 11, day), (Fixing("USD", value),))


def test_a_carried_forward_day_and_a_first_look_announce_nothing():
    assert rules.newest_fixing([table(20, "1")], [table(21, "1")]) is None
    assert rules.newest_fixing([], [table(21, "1")]) is None
    assert rules.newest_fixing([table(20, "1")], [table(19, "2")]) is None
    assert rules.newest_fixing([table(20, "1")], [table(21, "2")]) == table(21, "2")


def test_tomorrow_is_carried_forward_until_it_is_fixed():
    known = [table(20, "1"), table(21, "1")]
    assert rules.newest_fixing(known, [table(21, "2")]) == table(21, "2")
    assert rules.newest_fixing(known, [table(21, "1")]) is None


def test_a_correction_of_today_carried_into_tomorrow_is_not_tomorrows_fixing():
    known, corrected = [table(20, "1"), table(21, "1")], [table(20, "3"), table(21, "3")]
    assert rules.newest_fixing(known, corrected) is None
    assert rules.newest_fixing(corrected, [table(20, "3"), table(21, "2")]) == table(21, "2")


def test_a_failing_source_is_asked_ever_more_rarely_and_a_healthy_one_on_its_beat():
    waits = [rules.poll_again(PollState("s", failures=n), 3600, None, NOW) - NOW for n in range(6)]
    assert timedelta(minutes=54) <= waits[0] <= timedelta(minutes=66)
    assert waits[1:] == [timedelta(hours=h) for h in (1, 2, 4, 6, 6)]
    assert rules.poll_again(PollState("s", failures=1), 60, 500, NOW) - NOW == timedelta(seconds=500)


def test_a_source_that_answered_while_our_clock_ran_ahead_is_not_waited_for():
    ahead = PollState("s", last_ok_at=NOW + timedelta(hours=1), next_poll_at=NOW + timedelta(hours=2))
    assert rules.is_due(ahead, NOW)
    assert not rules.is_due(ahead, NOW + timedelta(hours=1))
    assert not rules.is_due(replace(ahead, gone=3), NOW)


def test_a_waiting_person_is_worth_a_request_unless_the_server_said_no():
    later = NOW + timedelta(hours=1)
    assert rules.worth_asking(None, 60, NOW, paced=False)
    assert not rules.worth_asking(PollState("s", later, last_ok_at=NOW), 60, NOW, paced=False)
    assert rules.worth_asking(PollState("s", later, failures=1, error="no such host"), 60, NOW, paced=False)
    assert not rules.worth_asking(PollState("s", later, failures=1, error="HTTP 429"), 60, NOW, paced=False)
    old = NOW - timedelta(hours=2)
    assert rules.worth_asking(PollState("s", later, last_ok_at=old), 60, NOW, paced=False)
    assert not rules.worth_asking(PollState("s", later, last_ok_at=old), 60, NOW, paced=True)
    assert rules.worth_asking(PollState("s", later, last_ok_at=old, failures=1, error="reset"), 60, NOW, paced=True)
