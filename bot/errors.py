"""What goes wrong, and who hears about it.

    YamchiError
    ├── Refusal          the person who asked: one sentence and what to do next
    ├── SourceError      /sources and the log: this source, this time
    ├── ChatRejected     the operator: a platform refuses our token for good
    ├── SettingsError    the operator, at start: exit 2
    └── DatabaseError    the operator, at start: exit 3

They are caught in four places only: one source (track), one delivery (deliver), one
request (the menu), and __main__.
"""

from __future__ import annotations


class YamchiError(Exception):
    """The root. `str(error)` is a sentence fit for the one who hears about it."""


class Refusal(YamchiError):
    """A request that cannot be done as said.

    message, hint: English sentences with {fields}, marked with N_() where they are written
    and worded in the reader's language by compose; fields: what fills them in.
    """

    def __init__(self, message: str, hint: str = "", **fields: object) -> None:
        super().__init__(message.format(**fields))
        self.message = message
        self.hint = hint
        self.fields = fields


class SourceError(YamchiError):
    """A source that is down, slow, blocked or talks nonsense. The text is a short English phrase.

    retry_after: seconds the server asked us to wait, None where it said nothing
    gone: the server said 410; absent: it said 404; blocked: it keeps us out, or shows us a page for people
    """

    def __init__(
        self,
        text: str,
        *,
        retry_after: float | None = None,
        gone: bool = False,
        absent: bool = False,
        blocked: bool = False,
    ) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.gone = gone
        self.absent = absent
        self.blocked = blocked


class NotModified(SourceError):
    """The server says that what we have is still the newest."""


class ChatRejected(YamchiError):
    """A platform says that our token is no good. Never raised for a network that fails."""


class SettingsError(YamchiError):
    """A setting that is missing, empty or malformed: says which line and what is expected."""


class DatabaseError(YamchiError):
    """A database that cannot be used: says why, and that it was left untouched."""
