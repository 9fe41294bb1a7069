"""What SQLite has and PostgreSQL has not, so that most of storage/ is said to both in the same words."""

from __future__ import annotations

from typing import Final

SQL: Final = """
CREATE FUNCTION max(BIGINT, BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT greatest($1, $2)';
CREATE FUNCTION max(DOUBLE PRECISION, DOUBLE PRECISION) RETURNS DOUBLE PRECISION LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT greatest($1, $2)';
CREATE FUNCTION min(DOUBLE PRECISION, DOUBLE PRECISION) RETURNS DOUBLE PRECISION LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT least($1, $2)';
CREATE FUNCTION iif(BOOLEAN, ANYCOMPATIBLE, ANYCOMPATIBLE) RETURNS ANYCOMPATIBLE LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT CASE WHEN $1 THEN $2 ELSE $3 END';
CREATE FUNCTION numbers(TEXT) RETURNS TABLE (value BIGINT) LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 100
    AS 'SELECT listed::bigint FROM json_array_elements_text($1::json) AS listed WHERE length(listed) < 19';
CREATE FUNCTION names(TEXT) RETURNS TABLE (value TEXT) LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
    AS 'SELECT listed FROM json_array_elements_text($1::json) AS listed';
CREATE FUNCTION renamed(kept REGCLASS, told TEXT, here TEXT, there TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
    -- The rows of a chat are another chat's; those it has already stay as they are.
    DECLARE one RECORD;
    BEGIN
        FOR one IN EXECUTE format('SELECT ctid FROM %s WHERE platform = $1 AND chat = $2', kept) USING told, here LOOP
            BEGIN
                EXECUTE format('UPDATE %s SET chat = $1 WHERE ctid = $2', kept) USING there, one.ctid;
            EXCEPTION WHEN unique_violation THEN NULL;
            END;
        END LOOP;
    END $$;
"""
