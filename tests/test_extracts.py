"""A lead shows what was looked for: marked in it, or in an extract around the first place."""

from datetime import UTC, datetime

from bot.extracts import extracts
from bot.message import Span
from bot.models import Article

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def article(
    title: str = "Rail", lead: str = "A lead.", text: str = "", language: str = "en", **more: object
) -> Article:
    return Article("bench", "g", "https://news.example/1", title, lead, text or lead, NOW, language, id=7, **more)


def marked(told: Article, *words: str) -> tuple[str, list[str]] | None:
    shown = extracts([told], words).get(7)
    return shown and (shown.lead, [shown.lead[span.start : span.end] for span in shown.spans])


def test_every_form_and_every_name_is_marked():
    lead = "Tokayev's summits cost ₸500, the Kyrgyz Republic paid."
    told = article(lead=lead)
    assert marked(told, "summit", "токаев") == (lead, ["Tokayev's", "summits"])
    assert marked(told, "тенге", "Киргизия") == (lead, ["₸", "Kyrgyz Republic"])
    assert marked(told, "republic") == (lead, ["Republic"])
    assert marked(told, "paid*") == (lead, ["paid"])


def test_russian_forms_are_marked_as_they_stand():
    lead = "О саммите в Астане: ёлки и\u00ad тенге"
    assert marked(article(lead=lead, language="ru"), "саммиты", "елка", "tenge") == (lead, ["саммите", "ёлки", "тенге"])


def test_words_of_other_languages_are_marked_whole():
    lead = "Теңгенің бағамы өсті"
    assert marked(article(lead=lead, language="kk"), "теңге", "баға") == (lead, ["Теңгенің", "бағамы"])


def test_a_phrase_is_one_mark_and_nothing_lies_over_another():
    lead = "The middle corridor: a corridor in the middle."
    assert marked(article(lead=lead), "middle corridor", "corridor") == (lead, ["middle corridor", "corridor"])


def test_the_outlets_emphasis_stays_where_no_mark_is():
    lead = "A summit of leaders in Astana"
    own = (Span(2, 8, "italic"), Span(23, 29, "italic"))
    shown = extracts([article(lead=lead, spans=own)], ("summit",))[7]
    assert shown.spans == (Span(2, 8, "bold"), Span(23, 29, "italic"))


def test_a_lead_without_it_gives_way_to_an_extract_unless_the_title_has_it():
    text = f"A lead. {'Nothing of interest. ' * 40}Then the summit was told of, and more followed. {'The end. ' * 60}"
    lead, words = marked(article(text=text), "summit")
    assert lead.startswith("Then the summit was told of")
    assert lead.endswith("…") and len(lead) <= 280
    assert words == ["summit"]
    assert marked(article("A summit", text=text), "summit") is None
    assert marked(article(text=text), "unicorn") is None
    assert marked(article(text=text)) is None


def test_an_extract_begins_at_a_word_where_no_sentence_begins_nearby():
    text = "word " * 200 + "summit " + "word " * 200
    lead, words = marked(article(text=text), "summit")
    assert lead.startswith("… word") and words == ["summit"] and len(lead) <= 280


def test_an_extract_of_one_endless_word_still_shows_it():
    lead, words = marked(article(text="a lead. " + "," * 500 + "summit" + "," * 500), "summit")
    assert words == ["summit"] and len(lead) <= 290
