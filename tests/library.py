"""Thirty documents of our own, and queries with the documents that a reader would call right; hostile queries too."""

from __future__ import annotations

from random import Random
from typing import Final

DOCUMENTS: Final = {
    1: ("en", "Leaders meet in Astana", "The summit ended with a joint statement on water. Talks were frank."),
    2: ("en", "Tokayev's visit to Tashkent", "The president signed agreements on railways and energy."),
    3: ("en", "Tenge gains against the dollar", "The National Bank explained why its currency strengthened."),
    4: ("en", "Uzbek farmers harvest cotton early", "Machines picked most of it, farming groups reported."),
    5: ("en", "Middle Corridor carries more containers", "Ports on the Caspian doubled their traffic in a year."),
    6: ("en", "Glaciers are melting faster", "Scientists measured the ice above Almaty all summer long."),
    7: ("en", "The Kyrgyz Republic raises electricity tariffs", "Households will pay a fifth more from May."),
    8: ("en", "Inflation slows in Dushanbe", "Prices of flour fell, the somoni stayed where it was."),
    9: ("en", "A gas pipeline deal with China", "Turkmenistan will supply more gas. The parties agreed a price."),
    10: ("en", "Migrants send less money home", "Remittances in roubles shrank, banks in Bishkek say."),
    11: ("en", "Japarov opens a power station", "The Kambarata dam will be the country's tallest."),
    12: ("en", "Uranium miners strike", "Workers in the south want better wages. The mine is silent."),
    13: ("en", "The soum is now traded freely", "Banks quote their own rates, importers are relieved."),
    14: ("en", "Schools teach in three languages", "Teachers are being trained, a large sum was set aside."),
    15: ("en", "EAEU ministers discuss customs", "Lorries wait for days at the border near Khorgos."),
    16: ("ru", "Итоги саммита в Астане", "Главы государств договорились о воде и транспорте."),
    17: ("ru", "Токаева встретили в Ташкенте", "Президенты подписали соглашения о железных дорогах."),
    18: ("ru", "Курс тенге вырос", "Национальный банк назвал причины: дорожает нефть, доллар слабеет."),
    19: ("ru", "Цены на муку снизились", "В Душанбе подешевел хлеб, сомони остаётся стабильным."),
    20: ("ru", "Ледники тают быстрее", "Учёные измерили лёд в горах над Алма-Атой."),
    21: ("ru", "Грузы идут по Срединному коридору", "Порты Каспия удвоили перевалку контейнеров."),
    22: ("ru", "Мирзиёев принял послов", "Узбекистан расширяет торговлю с соседями."),
    23: ("ru", "В Киргизии подорожает электричество", "Тарифы для семей поднимут в мае на пятую часть."),
    24: ("ru", "Шахтёры требуют зарплату", "На урановых рудниках юга прекращена добыча."),
    25: ("ru", "Учителей не хватает", "Школы ищут педагогов, сумма надбавок вырастет."),
    26: ("ru", "Пробки у Хоргоса", "Водители грузовиков ждут на границе несколько дней, ЕАЭС молчит."),
    27: ("ru", "Газопровод в Китай расширят", "Туркмения увеличит поставки газа."),
    28: ("ru", "Хлопок собрали машины", "Урожай в этом году убрали раньше, говорят фермеры."),
    29: ("ru", "Мигранты переводят меньше денег", "Переводы в рублях сократились, сообщили банки Бишкека."),
    30: ("ru", "Сум отпустили", "Двести тысяч сумов теперь стоят иначе в каждом банке."),
}

ENGLISH: Final = {
    "summits": {1},
    "meeting": {1},
    "Tokayev": {2, 17},
    "tokaev railway": {2},
    "tenge": {3, 18},
    "₸": {3, 18},
    "KZT dollars": {3, 18},
    "farmer": {4},
    "farming": {4},
    '"middle corridor"': {5, 21},
    "container": {5},
    "glacier melts": {6},
    "Almaty": {6, 20},
    "Kyrgyzstan": {7, 23},
    "Kyrgyz Republic tariff": {7},
    "republic": {7},
    "prices": {8, 9},
    "price -gas": {8},
    "somoni": {8, 19},
    "pipelines": {9},
    "agreement": {2},
    "ruble": {10, 29},
    "bank": {3, 10, 13},
    "Zhaparov dams": {11},
    "miner wage": {12},
    "soum": {13, 30},
    "EAEU": {15, 26},
    "Khorgos border": {15},
    "uran*": {12},
}
RUSSIAN: Final = {
    "саммит": {16},
    "саммиты в астане": {16},
    "Токаев": {2, 17},
    "токаева": {2, 17},
    "президент": {17},
    "тенге": {3, 18},
    "тенге банка": {18},
    "цена": {19},
    "мука": {19},
    "ледник": {20},
    "алматы": {6, 20},
    "Алма-Ата лед": {20},
    "«средний коридор»": {5, 21},
    "контейнер": {21},
    "Мирзиёева": {22},
    "Кыргызстан": {7, 23},
    "киргизия тариф": {23},
    "шахтер": {24},
    "рудник": {24},
    "учитель": {25},
    "граница": {26},
    "еаэс": {15, 26},
    "хоргос": {15, 26},
    "туркменистан газ": {27},
    "урожай": {28},
    "рубль": {10, 29},
    "перевод -банк": set(),
    "банк": {18, 29, 30},
    "сум": {13, 30},
    "подписать соглашение": {17},
}

PIECES = [
    '"', "'", "«", "»", "NEAR(", "-x", "--", "-", "\0", "\ud800", "\udfff x", "*", "a*", "^", ":", "title:", "{a b}:c",
    "AND", "OR", "NOT", "(", ")", "+", "summit", "саммит", "тенге", "₸", "$", "%", "_", "\\", ";", "DROP TABLE", "😀",
    "\u0301\u0301", "ﬁ", "½", "İ", "ß", "ўзбек", "中文", "\u202e", "\t", "\n", "999999999999999999999", "since:1d",
    "country:kz", "before:1", "before:99999999999999999", "source:x", "opinion:no", "until:2026-01-01", "sort:best",
    "Alma-Ata", "Kyrgyz Republic", "x" * 65536, "я" * 65536, '"' * 65536, "a " * 32768, "-" * 65536, "é" * 300,
]  # fmt: skip
"""The last six are as long as 64 KB."""


def hostile(chance: Random) -> str:
    """Some of the pieces, seldom long ones, with and without spaces."""
    some = PIECES[: -6 if chance.random() < 0.98 else None]
    return chance.choice(["", " "]).join(chance.choices(some, k=4))
