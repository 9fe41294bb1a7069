from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config import Settings, read_settings, resolve_allowed
from bot.errors import SettingsError

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


def test_without_anything_the_defaults_hold():
    settings = read_settings()
    assert settings.database_path == Path("data/yamchi.db")
    assert settings.default_timezone == "Asia/Almaty"
    assert not settings.has_chat


def test_the_example_names_every_setting_with_its_default(empty_folder: Path):
    text = (ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert set(shown) == {name.upper() for name in Settings.model_fields}
    optional = {"TELEGRAM_BOT_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "ADMINS", "SOURCES_FILE", "FETCH_ALLOW",
                "TELEGRAM_WEBHOOK_URL", "TELEGRAM_WEBHOOK_SECRET", "SLACK_SIGNING_SECRET", "SLACK_CLIENT_ID",
                "SLACK_CLIENT_SECRET", "SECRET_KEY", "SENTRY_DSN"}  # fmt: skip
    (empty_folder / ".env").write_text("\n".join(f"{k}={v}" for k, v in shown.items() if k not in optional))
    assert read_settings() == Settings()


def test_the_example_itself_is_a_good_file(empty_folder: Path):
    (empty_folder / ".env").write_text((ROOT / ".env.example").read_text())
    assert read_settings() == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=1\nTELEGRAM_BOT_TOKEN=\n", ".env line 2: TELEGRAM_BOT_TOKEN is empty; expected a bot token"),
        ("\n\nPOLL_NEWS_SECONDS=soon\n", ".env line 3: POLL_NEWS_SECONDS: expected a whole number of seconds"),
        ("DEFAULT_TIMEZONE=Mars/Olympus\n", ".env line 1: DEFAULT_TIMEZONE: expected an IANA time zone"),
        ("DEFAULT_LANGUAGE=xx\n", ".env line 1: DEFAULT_LANGUAGE: expected a language code: en, ru"),
        ("FETCH_ALLOW=localhost\n", ".env line 1: FETCH_ALLOW: expected host:port"),
        ("HTTP_LISTEN=8080\n", ".env line 1: HTTP_LISTEN: expected host:port"),
        ("ADMINS=somebody\n", ".env line 1: ADMINS: expected telegram:NUMBER"),
        ("TELEGRAM_API_URL=http://\n", ".env line 1: TELEGRAM_API_URL: expected an http or https address"),
        ("SLACK_API_URL=https://host:port/api/\n", ".env line 1: SLACK_API_URL: expected an http or https address"),
        ("DATABASE_URL=mysql://x\n", ".env line 1: DATABASE_URL: expected sqlite:///PATH"),
        ("LOG_LEVEL=loud\n", ".env line 1: LOG_LEVEL: expected DEBUG"),
        ("# fine\nLOG_LEVEL\n", ".env line 2: expected NAME=value"),
        ("'\n", ".env line 1: expected NAME=value"),
    ],
)
def test_a_bad_line_is_named_and_what_is_expected_said(empty_folder: Path, text: str, said: str):
    (empty_folder / ".env").write_text(text)
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("SLACK_BOT_TOKEN", ("SLACK_APP_TOKEN: not set, and Slack needs it beside SLACK_BOT_TOKEN"
                            ", or SLACK_SIGNING_SECRET for HTTP")),
        ("SLACK_APP_TOKEN", "SLACK_BOT_TOKEN: not set, and Slack needs it beside SLACK_APP_TOKEN"),
        ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN: not set, and Slack needs it beside SLACK_SIGNING_SECRET"),
        ("SLACK_CLIENT_ID SLACK_SIGNING_SECRET",
         "SLACK_CLIENT_SECRET: not set, and Slack needs it beside SLACK_CLIENT_ID"),
        ("SLACK_CLIENT_ID SLACK_CLIENT_SECRET", ("SLACK_APP_TOKEN: not set, and Slack needs it beside SLACK_CLIENT_ID"
                                                ", or SLACK_SIGNING_SECRET for HTTP")),
        ("SLACK_BOT_TOKEN SLACK_APP_TOKEN", ""),
        ("SLACK_BOT_TOKEN SLACK_SIGNING_SECRET", ""),
        ("SLACK_CLIENT_ID SLACK_CLIENT_SECRET SLACK_SIGNING_SECRET", ""),
        ("SLACK_CLIENT_ID SLACK_CLIENT_SECRET SLACK_APP_TOKEN", ""),
        ("TELEGRAM_BOT_TOKEN", ""),
    ],
)  # fmt: skip
def test_half_of_what_slack_needs_is_told(empty_folder: Path, given: str, said: str):
    (empty_folder / ".env").write_text("".join(f"{name}=xoxb-1\n" for name in given.split()))
    settings = read_settings()
    assert settings.has_chat
    assert settings.wants_slack == ("SLACK" in given)
    assert settings.half_set == said


def test_a_key_that_can_be_guessed_is_refused(empty_folder: Path):
    (empty_folder / ".env").write_text("SECRET_KEY=short\n")
    with pytest.raises(SettingsError, match="SECRET_KEY: expected a random text of 32 characters"):
        read_settings()


def test_a_file_that_cannot_be_opened_is_named(empty_folder: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (empty_folder / ".env").write_text("LOG_LEVEL=INFO\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SettingsError, match=r"^\.env: cannot be read: Permission denied$"):
        read_settings()


def test_a_bad_value_never_prints_the_value_of_a_secret(empty_folder: Path):
    (empty_folder / ".env").write_text("TELEGRAM_BOT_TOKEN=123456789:canary\nLOG_FORMAT=canary\n")
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert "canary" not in str(error.value)


def test_the_environment_wins_over_the_file_and_empty_means_unset(empty_folder: Path, monkeypatch: pytest.MonkeyPatch):
    (empty_folder / ".env").write_text("DEFAULT_LANGUAGE=ru\nLOG_LEVEL=DEBUG\n")
    monkeypatch.setenv("DEFAULT_LANGUAGE", "en")
    monkeypatch.setenv("LOG_LEVEL", "")
    settings = read_settings()
    assert (settings.default_language, settings.log_level) == ("en", "DEBUG")


def test_a_secret_may_stand_in_a_file_and_never_shows(empty_folder: Path, monkeypatch: pytest.MonkeyPatch):
    (empty_folder / "token").write_text("123456789:canary\n")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN_FILE", "token")
    settings = read_settings()
    assert settings.secrets == ("123456789:canary",)
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(("content", "said"), [(None, "cannot read"), ("", "is empty")])
def test_a_secret_file_that_is_no_use_is_named(empty_folder: Path, monkeypatch, content: str | None, said: str):
    if content is not None:
        (empty_folder / "token").write_text(content)
    monkeypatch.setenv("SLACK_APP_TOKEN_FILE", "token")
    with pytest.raises(SettingsError, match=rf"SLACK_APP_TOKEN_FILE: .*{said}"):
        read_settings()


def test_allowed_hosts_are_resolved_once_and_only_with_their_port():
    assert ("127.0.0.1", 80) in resolve_allowed((("127.0.0.1", 80),))
    assert resolve_allowed((("::1", 81),)) == {("::1", 81)}
    with pytest.raises(SettingsError, match="FETCH_ALLOW"):
        resolve_allowed((("no-such-host.invalid", 80),))
