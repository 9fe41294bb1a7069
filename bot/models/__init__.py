"""The nouns. Frozen, plain, and the same in every room.

Instants are aware UTC datetimes, dates of a fixing are the issuer's own calendar
dates, money is Decimal or the text a bank printed.
"""

from bot.models.chats import ChatSettings, Content, Schedule, ScheduleKind, Subscription
from bot.models.delivery import (
    PRIORITIES,
    Cause,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Health,
    Lease,
    LedgerCounts,
    Noted,
    OutboxReport,
    Outcome,
    Outgoing,
    Update,
)
from bot.models.news import Article, NewsPage, NewsQuery
from bot.models.people import Address, Answer, Request
from bot.models.rates import Announced, Board, Fixing, Hold, Quote, RateKind, RateTable, StoredFixing
from bot.models.sources import AddedFeed, Catalogue, Feed, PollState, RateRoad

__all__ = [
    "PRIORITIES",
    "AddedFeed",
    "Address",
    "Announced",
    "Answer",
    "Article",
    "Board",
    "Catalogue",
    "Cause",
    "ChatSettings",
    "Content",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Feed",
    "Fixing",
    "Health",
    "Hold",
    "Lease",
    "LedgerCounts",
    "NewsPage",
    "NewsQuery",
    "Noted",
    "OutboxReport",
    "Outcome",
    "Outgoing",
    "PollState",
    "Quote",
    "RateKind",
    "RateRoad",
    "RateTable",
    "Request",
    "Schedule",
    "ScheduleKind",
    "StoredFixing",
    "Subscription",
    "Update",
]
