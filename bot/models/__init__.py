"""The nouns. Frozen, plain, and the same in every room.

Instants are aware UTC datetimes, dates of a fixing are the issuer's own calendar
dates, money is Decimal or the text a bank printed.
"""

from bot.models.alerts import Alert, AlertState, AlertWay, Sight
from bot.models.chats import (
    ChatSettings,
    Content,
    Edition,
    Mailing,
    Plan,
    Quiet,
    Schedule,
    ScheduleKind,
    Subscription,
)
from bot.models.delivery import (
    PRIORITIES,
    Bundle,
    Cause,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Health,
    Lease,
    LedgerCounts,
    OutboxReport,
    Outcome,
    Outgoing,
    Record,
    Update,
)
from bot.models.installs import UNINSTALLED, Install
from bot.models.news import Article, Headline, NewsPage, NewsQuery
from bot.models.people import SILENCE, Address, Answer, Request
from bot.models.rates import Announced, Board, Fixing, Hold, Quote, RateKind, RateTable, StoredFixing
from bot.models.sources import AddedFeed, Catalogue, Feed, PollState, RateRoad

__all__ = [
    "PRIORITIES",
    "SILENCE",
    "UNINSTALLED",
    "AddedFeed",
    "Address",
    "Alert",
    "AlertState",
    "AlertWay",
    "Announced",
    "Answer",
    "Article",
    "Board",
    "Bundle",
    "Catalogue",
    "Cause",
    "ChatSettings",
    "Content",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Edition",
    "Feed",
    "Fixing",
    "Headline",
    "Health",
    "Hold",
    "Install",
    "Lease",
    "LedgerCounts",
    "Mailing",
    "NewsPage",
    "NewsQuery",
    "OutboxReport",
    "Outcome",
    "Outgoing",
    "Plan",
    "PollState",
    "Quiet",
    "Quote",
    "RateKind",
    "RateRoad",
    "RateTable",
    "Record",
    "Request",
    "Schedule",
    "ScheduleKind",
    "Sight",
    "StoredFixing",
    "Subscription",
    "Update",
]
