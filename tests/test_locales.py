from __future__ import annotations

from dataclasses import replace
from gettext import NullTranslations

import pytest

from bot.compose import about, chat, digest, rates
from bot.compose.digest import Digest
from bot.errors import Refusal
from bot.locales import N_, is_beta, languages, tongue
from bot.models import ChatSettings
from bot.places import CAPITALS, own_name
from handlers.menu.registry import commands
from handlers.telegram.manifest import menu
from tests.kinds import BOARD, HERE, NOW, OUTLETS, TODAY, ZONE, article, kinds
from tests.sentences import FIELD, read, sentences

COMPLETE = [language for language in languages() if not is_beta(language)]
BETA = [language for language in languages() if is_beta(language)]


@pytest.mark.parametrize("language", COMPLETE)
def test_every_sentence_is_there_in_every_complete_language(language: str):
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


class Recorder(NullTranslations):
    """Words nothing, and remembers what it was asked to word."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def gettext(self, message: str) -> str:
        self.asked.add(message)
        return message

    def ngettext(self, one: str, many: str, n: int) -> str:
        self.asked.add(one)
        return one if n == 1 else many


def frame() -> set[str]:
    """What the menu, the board and the frame of a digest say."""
    recorder = Recorder()
    speech = replace(tongue("en"), catalogue=recorder)
    day = Digest(TODAY, NOW, [(article(7), article(2)), (article(3),)], BOARD, {"KZT": [article(1)]}, "country:kz")
    about.help_all([], speech)
    about.start(ChatSettings(HERE, ZONE, "en"), "", BOARD, (), CAPITALS, speech)
    rates.board(BOARD, speech, spans=True)
    digest.digest(day, speech, ZONE, OUTLETS)
    digest.digest(replace(day, stories=[]), speech, ZONE, OUTLETS)
    chat.language(speech, {"en": ""}, asked=True)
    return recorder.asked | {command.summary for command in commands().values()} | set(about.GROUPS.values())


def test_the_beta_languages_are_those_of_the_five_countries_that_we_speak():
    assert set(BETA) == {"kk", "ky", "tg", "uz"}
    assert languages()[:2] == ("en", "ru")
    assert own_name("uz") == "O‘zbek (beta)"


@pytest.mark.parametrize("language", BETA)
def test_a_beta_language_has_the_menu_the_board_and_the_frame_of_a_digest(language: str):
    assert (
        frame()
        - {"Yamchi"}
        - {message.id if isinstance(message.id, str) else message.id[0] for message in read(language)}
        == set()
    )


@pytest.mark.parametrize("language", BETA)
def test_what_a_beta_language_lacks_comes_in_english_and_every_message_is_there(language: str):
    lacking = "This chat has {most} alerts, and that is the most."
    assert tongue(language).say(lacking, most=20) == "This chat has 20 alerts, and that is the most."
    assert tongue(language).count("{n} item", "{n} items", 2) == "2 items"
    assert tongue(language).say("Rates") != "Rates"
    assert len(kinds(language)) == len(kinds("en"))
    marks = {block.text for block in kinds(language)["language-set"].blocks[1:]}
    assert len(marks) == 1 and "beta" not in marks


def test_every_command_has_its_summary_in_every_language_within_telegrams_limit():
    for language in languages():
        assert all(1 <= len(entry.description) <= 256 for entry in menu(tongue(language)))


def test_russian_has_its_plural_forms():
    assert read("ru").num_plurals == 3


def test_an_unknown_language_falls_back_to_english():
    assert tongue("xx").code == "en"


def test_a_refusal_is_worded_with_its_fields():
    refusal = Refusal(N_("I do not know {what}."), what="XYZ")
    assert str(refusal) == "I do not know XYZ."
