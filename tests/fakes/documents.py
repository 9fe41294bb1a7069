"""Documents in the formats of the Bank of Russia, the Turkmen bank's own files and the collectors.

Rows are code to (figure as printed, with a dot; nominal); figures go out as they are, nonsense included.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import md5
from xml.sax.saxutils import escape

Rows = Mapping[str, tuple[str, int]]

CBR_NUMBERS = {"USD": "R01235", "KZT": "R01335", "KGS": "R01370", "TJS": "R01670", "TMT": "R01710A", "UZS": "R01717"}


def cbr(on: date, rows: Rows) -> bytes:
    """One line of windows-1251; VunitRate is there for every row, in exponents where it is small."""
    items = "".join(
        f'<Valute ID="{CBR_NUMBERS.get(code, "R00000")}"><NumCode>000</NumCode><CharCode>{escape(code)}</CharCode>'
        f"<Nominal>{nominal}</Nominal><Name>Валюта</Name><Value>{escape(value.replace('.', ','))}</Value>"
        f"<VunitRate>{_per_unit(value, nominal)}</VunitRate></Valute>"
        for code, (value, nominal) in rows.items()
    )
    head = '<?xml version="1.0" encoding="windows-1251"?>'
    body = f'{head}<ValCurs Date="{on:%d.%m.%Y}" name="Foreign Currency Market">{items}</ValCurs>'
    return body.encode("windows-1251", "xmlcharrefreplace")


def cbt(on: date, rows: Rows) -> bytes:
    """CRLF and standalone; dates of 2023 and before the other way round; rate_usd is there to mislead."""
    items = "".join(
        f'\r\n  <rate code="{escape(code)}">\r\n    <name>{escape(code)}</name>\r\n    <rate_usd>12005</rate_usd>'
        f"\r\n    <multiplier>{nominal}</multiplier>\r\n    <rate_tmt>{escape(value)}</rate_tmt>\r\n  </rate>"
        for code, (value, nominal) in rows.items()
    )
    dated = f"{on:%d.%m.%Y}" if on.year >= 2024 else on.isoformat()
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<cbt_currency_rate name="CBT Currency XML">'
        f"\r\n  <date>{dated}</date>{items}\r\n"
        f"  <checksum>{md5(items.encode(), usedforsecurity=False).hexdigest()}</checksum>\r\n</cbt_currency_rate>\r\n"
    )
    return body.encode()


def frankfurter(on: date, rows: Rows, quote: str) -> bytes:
    """Rates as JSON numbers, which have no zeros at their ends."""
    listed = (
        f'{{"date":"{on}","base":"{code}","quote":"{quote}","rate":{trimmed(value)}}}'
        for code, (value, _) in rows.items()
    )
    return f"[{','.join(listed)}]".encode()


def currency_api(on: date, rows: Rows) -> bytes:
    """The dollar in everything: rows are by quote currency. Two that nobody wants are always there."""
    listed = "".join(f',"{code.lower()}":{value}' for code, (value, _) in rows.items())
    return f'{{"date":"{on}","usd":{{"1inch":5.8110293,"btc":8.9e-06{listed}}}}}'.encode()


def trimmed(figure: str) -> str:
    return figure.rstrip("0").rstrip(".") if "." in figure else figure


def _per_unit(value: str, nominal: int) -> str:
    try:
        rate = Decimal(value) / nominal
        small = rate < Decimal("0.0001")
    except InvalidOperation:
        return escape(value)
    return (f"{float(rate):.6G}" if small else f"{rate:f}").replace(".", ",")
