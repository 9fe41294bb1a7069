from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.amounts import MOST_DIGITS, number, read
from bot.compose.quotes import number as written
from bot.errors import Refusal
from bot.locales import tongue
from bot.money import exact_text, money

TODAY = date(2026, 11, 23)


def said(text: str, command: str = "rates") -> tuple[str | None, str]:
    found = read(text, command, TODAY)
    return None if found.amount is None else exact_text(found.amount), " ".join(found.codes)


def refusal(text: str, command: str = "rates") -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        read(text, command, TODAY)
    return tongue("en").refusal(caught.value)


@pytest.mark.parametrize(
    "text",
    ["usdkzt", "USD/KZT", "USD-KZT", "usd in kzt", "usd to kzt", "доллар в тенге", "$ → ₸", "usd=kzt", "ＵＳＤ/ＫＺＴ"],
)
def test_a_pair_is_written_in_many_ways(text: str):
    assert said(text) == (None, "USD KZT")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("100 usd", "100"),
        ("100usd", "100"),
        ("$100", "100"),
        ("100$", "100"),
        ("usd 100", "100"),
        ("US$ 100", "100"),
        ("1 000,50 usd", "1000.50"),
        ("1\xa0000,50\xa0usd", "1000.50"),
        ("1\u202f000,50 usd", "1000.50"),
        ("1\u2009000 usd", "1000"),
        ("1 000 000 usd", "1000000"),
        ("1,000.50 usd", "1000.50"),
        ("1.000,50 usd", "1000.50"),
        ("1'000.5 usd", "1000.5"),
        ("1’000 usd", "1000"),
        ("1,000,000 usd", "1000000"),
        ("1.000.000 usd", "1000000"),
        ("1,000 usd", "1000"),
        ("1.000 usd", "1.000"),
        ("1,5 usd", "1.5"),
        ("0,125 usd", "0.125"),
        ("1000,125 usd", "1000.125"),
        (".5 usd", "0.5"),
        ("5k usd", "5000"),
        ("5к usd", "5000"),
        ("5kusd", "5000"),
        ("1.5k usd", "1500"),
        ("2 млн usd", "2000000"),
        ("2млн долларов", "2000000"),
        ("5m usd", "5000000"),
        ("3 тысячи долларов США", "3000"),
        ("1 bn usd", "1000000000"),
        ("999999999999999 usd", "9" * 15),
    ],
)
def test_an_amount_is_written_in_many_ways(text: str, amount: str):
    assert said(text) == (amount, "USD")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("100 usd kzt", "USD KZT"),
        ("100 usd in kzt", "USD KZT"),
        ("100usdkzt", "USD KZT"),
        ("₸100", "KZT"),
        ("100₸ в $", "KZT USD"),
        ("100 тенге в сомы", "KZT KGS"),
        ("100 сомов к рублю", "KGS RUB"),
        ("100 теңгені рубльге", "KZT RUB"),
        ("100 so'm", "UZS"),
        ("100 so‘mni dollarga", "UZS USD"),
        ("100 soʻm", "UZS"),
        ("100 soum", "UZS"),
        ("100 сўм", "UZS"),
        ("100 сомонӣ", "TJS"),
        ("100 сомони", "TJS"),
        ("100 манатов", "TMT"),
        ("100 рублей в евро", "RUB EUR"),
        ("100 юаней", "CNY"),
        ("€100", "EUR"),
        ("100 ₽", "RUB"),
        ("¥100", "CNY"),
        ("100 gbp try", "GBP TRY"),
    ],
)
def test_currencies_are_known_by_code_sign_and_name(text: str, codes: str):
    assert said(text) == ("100", codes)


@pytest.mark.parametrize(
    ("text", "on", "month", "span"),
    [
        ("KZT 2026-10-31", date(2026, 10, 31), None, None),
        ("KZT on 31.10.2026", date(2026, 10, 31), None, None),
        ("тенге на 31.10.26", date(2026, 10, 31), None, None),
        ("KZT yesterday", date(2026, 11, 22), None, None),
        ("вчера тенге", date(2026, 11, 22), None, None),
        ("KZT 2026-10", None, date(2026, 10, 1), None),
        ("KZT 30d", None, None, 30),
        ("KZT 30 days", None, None, 30),
        ("тенге за 30 дней", None, None, 30),
        ("KZT 2w", None, None, 14),
        ("KZT 6mo", None, None, 180),
        ("KZT 1y", None, None, 365),
    ],
)
def test_days_months_and_spans_are_told_apart(text: str, on: date | None, month: date | None, span: int | None):
    found = read(text, "rates", TODAY)
    assert (found.codes, found.on, found.month, found.span) == (("KZT",), on, month, span)


@pytest.mark.parametrize(
    ("text", "fee", "percent", "code"),
    [
        ("fee 1%", "1", True, ""),
        ("fee: 1,5 %", "1.5", True, ""),
        ("1%", "1", True, ""),
        ("комиссия 300", "300", False, ""),
        ("fee 5 usd", "5", False, "USD"),
        ("", None, False, ""),
    ],
)
def test_a_fee_is_a_share_or_a_sum(text: str, fee: str | None, percent: bool, code: str):
    found = read(f"30 000 RUB KGS {text}", "send", TODAY)
    assert (found.amount, found.codes) == (30000, ("RUB", "KGS"))
    assert (found.fee and str(found.fee), found.percent, found.fee_code) == (fee, percent, code)


def test_what_may_be_two_currencies_is_refused_with_a_choice_that_can_be_typed():
    message, hint = refusal("100 usd in som", "convert")
    assert message == "“som” may be the Kyrgyz som (KGS) or the Uzbek soum (UZS)."
    assert hint == "Say /convert 100 usd in KGS or /convert 100 usd in UZS."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 usd", "The amount must be more than zero."),
        ("-5 usd", "The amount must be more than zero."),
        ("−5 usd", "The amount must be more than zero."),
        ("0.00 usd", "The amount must be more than zero."),
        ("1234567890123456 usd", "An amount has at most 15 digits."),
        ("1000000 bn usd", "An amount has at most 15 digits."),
        ("1,00,0 usd", "I cannot read the number 1,00,0."),
        ("1.000.00 usd", "I cannot read the number 1.000.00."),
        ("1,000.5.5 usd", "I cannot read the number 1,000.5.5."),
        ("12 3456,5 usd", "I do not know 12 3456,5 usd."),
        ("KZT 2026-02-30", "There is no such day as 2026-02-30."),
        ("KZT 2026-13", "There is no such day as 2026-13."),
        ("KZT 31.11.2026", "There is no such day as 31.11.2026."),
        ("KZT 0d", "A span has 1 to 4000 days."),
        ("KZT 99999d", "A span has 1 to 4000 days."),
        ("1e3 usd", "I do not know e."),
        ("٣ usd", "I do not know ٣ usd."),
        ("100 usd 200", "I do not know 100 usd 200."),
        ("KZT 30d 2026-10", "I do not know KZT 30d 2026-10."),
        ("usd kzt fee", "I do not know usd kzt fee."),
        ("usd 5%", "I do not know usd 5%."),
        ("KZT KGS UZS", "I do not know KZT KGS UZS."),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str):
    assert refusal(text)[0].startswith(message)


def test_the_readers_language_decides_what_a_single_comma_means():
    assert exact_text(number("1,000")) == "1000"
    assert exact_text(number("1,000", decimal_comma=True)) == "1.000"


@given(amount=st.decimals("0.0001", 10**13 - 1, places=4))
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_sum_we_print_is_read_back_digit_by_digit(language: str, amount: Decimal):
    speech = tongue(language)
    shown = money(amount)
    found = read(f"{written(shown, speech)} USD", "rates", TODAY, decimal_comma=language == "ru")
    assert exact_text(found.amount) == exact_text(shown)


@given(figure=st.from_regex(r"[1-9][0-9]{0,9}(\.[0-9]{1,5})?|0\.[0-9]{0,6}[1-9]", fullmatch=True))
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_figure_we_print_is_read_back_digit_by_digit(language: str, figure: str):
    shown = written(Decimal(figure), tongue(language))
    assert exact_text(number(shown, decimal_comma=language == "ru")) == figure


@given(text=st.text(alphabet="0123456789 .,'-+%kmдв$₸₽/:\xa0usdkztсом", max_size=24))
def test_whatever_is_typed_is_read_or_refused(text: str):
    try:
        found = read(text, "rates", TODAY)
    except Refusal as told:
        sentence, hint = tongue("ru").refusal(told)
        assert sentence and "{" not in sentence + hint
    else:
        assert found.amount is None or (found.amount > 0 and len(found.amount.as_tuple().digits) <= MOST_DIGITS + 4)
