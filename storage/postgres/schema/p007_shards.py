"""Chats by shards: a shard's rows are claimed by one sender at a time. All lanes of a chat are of one shard.

What is open has indexes that only those who ask for it can use: what is next in a lane, looked for in the order of all
lanes because there was little when the planner counted, would cost more with everything that waits.
"""

from __future__ import annotations

from typing import Final

SQL: Final = """
CREATE FUNCTION shard_of(platform TEXT, chat TEXT) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (get_byte(decode(md5(platform || '/' || chat), 'hex'), 0) & 63)::bigint $$;
CREATE FUNCTION set_shard() RETURNS TRIGGER LANGUAGE plpgsql AS $$
    BEGIN
        NEW.shard := (SELECT shard_of(platform, chat) FROM lanes WHERE id = NEW.lane);
        RETURN NEW;
    END $$;
ALTER TABLE outbox ADD COLUMN shard BIGINT;
UPDATE outbox SET shard = shard_of(lanes.platform, chat) FROM lanes WHERE lanes.id = lane;
CREATE TRIGGER outbox_shard BEFORE INSERT OR UPDATE OF lane ON outbox FOR EACH ROW EXECUTE FUNCTION set_shard();
DROP INDEX outbox_ready;
CREATE INDEX outbox_ready ON outbox (platform, shard, priority, ready_at, id) WHERE ready_at IS NOT NULL;
DROP INDEX outbox_open;
CREATE INDEX outbox_expiring ON outbox (expires_at) WHERE state = 'pending';
CREATE INDEX outbox_oldest ON outbox (due_at) WHERE settled_at IS NULL AND lease_until IS NULL;
"""
