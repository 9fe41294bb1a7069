"""Processes that send, and what part of each platform's rate each of them has."""

from __future__ import annotations

from typing import Final

SQL: Final = """
CREATE TABLE senders (
    owner TEXT NOT NULL,
    platform TEXT NOT NULL,
    key BIGINT NOT NULL,             -- of the advisory lock that its session holds while it lives
    share DOUBLE PRECISION NOT NULL,
    until BIGINT NOT NULL,           -- it asks anew before
    asked TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (owner, platform)
);
"""
