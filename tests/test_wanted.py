"""Texts and queries come to the same terms, whatever the script, the case and the name."""

import pytest

from bot import terms
from bot.lemmas import lemma, words
from bot.wanted import MOST_TERMS, wanted


def test_all_cases_of_a_name_and_all_its_spellings_are_one_term():
    names = "Токаев Токаева Токаеву Токаевым Токаеве токаев токаеву Tokayev Tokayev's Tokaev"
    assert set(terms.terms(names)) == {"tokayev"}
    assert set(terms.terms("тенге ₸ KZT tenge Tenge")) == {"teng"}
    assert set(terms.terms("сум сума сумов сумами soum soums UZS")) == {"soum"}
    assert set(terms.terms("Мирзиёев Мирзиёева Мирзиеевым Жапаров Жапаровым")) == {"mirziyoyev", "japarov"}
    assert "soum" not in terms.terms("a sum of money; сумма, сумели, сумеет")


def test_a_name_of_several_words_keeps_them():
    assert terms.terms("the Kyrgyz Republic said") == ["the", "kyrgyz", "republ", "kyrgyzstan", "said"]
    assert terms.terms("в Алма-Ате") == ["в", "алма", "ата", "almati"]


def test_a_surname_that_no_dictionary_has_is_no_plural():
    assert len(set(terms.terms("Бектенов Бектенова Бектенову Бектеновым Бектенове"))) == 1


def test_every_thing_has_a_latin_name_first_and_a_term_of_its_own():
    things = terms.things()
    assert all(thing.names[0].isascii() for thing in things)
    assert len({thing.term for thing in things}) == len(things)
    names = [name.casefold() for thing in things for name in (*thing.names, *thing.asked)]
    assert len(set(names)) == len(names)
    for thing in things:
        for name in thing.names:
            assert terms.terms(name)[-1] == thing.term or name == "so'm", name


def test_a_name_that_two_things_have_asks_for_both():
    for text in ("so'm", "so‘m", "soʻm"):
        (one,) = wanted((text,))
        assert {run.terms for run in one.lemmas} == {("som",), ("soum",)}
    assert wanted(("сум",))[0].lemmas == wanted(("soums",))[0].lemmas
    assert {run.terms for run in wanted(("sum",))[0].lemmas} == {("sum",), ("soum",)}


def test_places_are_those_of_the_text_as_printed():
    text = "Ёлки,\u00a0TOKAYEV’S ﬁrst  Kyrgyz\nRepublic: ₸"
    spots = [(text[start:end], term) for term, start, end in terms.spots(text)]
    assert spots == [
        ("Ёлки", "елка"),
        ("TOKAYEV’S", "tokayev"),
        ("ﬁrst", "first"),
        ("Kyrgyz", "kyrgyz"),
        ("Republic", "republ"),
        ("Kyrgyz\nRepublic", "kyrgyzstan"),
        ("₸", "teng"),
    ]
    assert [term for term, _, _ in terms.spots(text)] == terms.terms(text)


@pytest.mark.parametrize("word", ["x" * 70_000, "я" * 70_000, "é" * 999, "\u0301" * 999, "a1" * 5000])
def test_an_endless_word_is_cut_into_terms(word):
    assert all(len(term) <= 70 for term in terms.terms(word))
    assert sum(len(run.terms) for one in wanted((word,)) for run in one.lemmas) <= MOST_TERMS


def test_no_more_terms_are_looked_for_than_sixteen():
    assert len(wanted(tuple(f"word{n}" for n in range(40)))) == MOST_TERMS
    assert wanted(("a " * 40,)) == ()


def test_words_are_folded_alike():
    assert words("O‘zbekiston O'zbekiston Oʻzbekiston") == ["ozbekiston"] * 3
    assert words("Café CAFÉ Türkmenistan ёж Й") == ["cafe", "cafe", "turkmenistan", "еж", "й"]
    assert lemma("саммита") == lemma("саммит") == "саммит"
