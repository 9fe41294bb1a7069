from __future__ import annotations

import pytest

from bot.errors import Refusal
from bot.locales import N_, languages, tongue
from tests.sentences import FIELD, read, sentences


@pytest.mark.parametrize("language", languages())
def test_every_sentence_is_there_in_every_language(language: str):
    catalogue = read(language)
    forms = catalogue.num_plurals
    missing = []
    for message in sentences():
        if not message.id:
            continue
        key = message.id[0] if isinstance(message.id, tuple) else message.id
        worded = catalogue.get(key)
        strings = worded.string if worded and isinstance(worded.string, tuple) else (worded.string if worded else "",)
        if not all(strings) or (isinstance(message.id, tuple) and len(strings) != forms):
            missing.append(key)
    assert missing == []


@pytest.mark.parametrize("language", languages())
def test_a_translation_fills_in_the_same_fields(language: str):
    for message in read(language):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in strings if message.id else ():
            assert set(FIELD.findall(text)) == set(FIELD.findall(ids[-1])), text


def test_no_language_holds_a_sentence_that_nobody_says():
    said = {m.id[0] if isinstance(m.id, tuple) else m.id for m in sentences()}
    for language in languages():
        held = {m.id[0] if isinstance(m.id, tuple) else m.id for m in read(language)}
        assert held - said == set()


def test_russian_has_its_plural_forms():
    assert read("ru").num_plurals == 3


def test_an_unknown_language_falls_back_to_english():
    assert tongue("xx").code == "en"


def test_a_refusal_is_worded_with_its_fields():
    refusal = Refusal(N_("I do not know {what}."), what="XYZ")
    assert str(refusal) == "I do not know XYZ."
