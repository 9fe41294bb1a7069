"""What SQLite has and PostgreSQL has not, so that most of storage/ is said to both in the same words."""

from __future__ import annotations

from typing import Final

SQL: Final = r"""
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
CREATE FUNCTION mentions(raw TEXT, own TEXT, who TEXT) RETURNS BOOLEAN LANGUAGE plpgsql IMMUTABLE AS $$
    -- Whether a JSON text holds one of these as a whole value.
    BEGIN
        RETURN (strpos(raw, own) > 0 OR strpos(raw, who) > 0 AND who <> '') AND EXISTS (
            SELECT FROM jsonb_path_query(
                regexp_replace(raw, '\\u(0000|d[89a-f][0-9a-f]{2})', '', 'gi')::jsonb,  -- which takes none of these
                'strict $.**'
            ) AS part
            WHERE jsonb_typeof(part) NOT IN ('object', 'array') AND part #>> '{}' IN (own, nullif(who, '')));
    EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN
        RETURN false;
    END $$;
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
