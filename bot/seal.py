"""Stored tokens, sealed with SECRET_KEY: a stolen copy of the database opens no workspace."""

from __future__ import annotations

import base64
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEALED: Final = "sealed:"
PURPOSE: Final = b"yamchi: stored tokens"


class Unsealable(Exception):
    """Sealed with another key, or with one that is not set any more."""


class Seal:
    """key: SECRET_KEY, "" to store as it is"""

    def __init__(self, key: str) -> None:
        self._fernet: Fernet | None = None
        if key:
            derived = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())
            self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, text: str) -> str:
        return SEALED + self._fernet.encrypt(text.encode()).decode() if self._fernet else text

    def open(self, text: str) -> str:
        """The inverse of close; what was stored before there was a key opens too. Raises Unsealable."""
        if not text.startswith(SEALED):
            return text
        if self._fernet is None:
            raise Unsealable
        try:
            return self._fernet.decrypt(text.removeprefix(SEALED).encode()).decode()
        except InvalidToken:
            raise Unsealable from None

    def is_open(self, text: str) -> bool:
        """Whether it lies there open although there is a key."""
        return self._fernet is not None and not text.startswith(SEALED)
