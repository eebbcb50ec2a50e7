-- What sensors observed: the ranges that reach into a span, those that meet as one
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column sensor: its name
-- column from: first moment
-- column to: last moment
-- column addresses: monitored addresses; NULL: not known
-- column mode: how it answered then: silent, host-answers or syn-ack
-- column dropped: packets lost before they could be written
WITH ranges AS (
    SELECT sensor, from_ns, to_ns, nullif(addresses, 0) AS addresses, mode, dropped,
        sum(CASE WHEN from_ns - before_ns > 1000000000 OR addresses IS DISTINCT FROM before_addresses OR mode <> before_mode OR before_ns IS NULL THEN 1 ELSE 0 END)
            OVER (PARTITION BY sensor ORDER BY from_ns) AS island
    FROM (SELECT *, lag(to_ns) OVER each AS before_ns, lag(addresses) OVER each AS before_addresses, lag(mode) OVER each AS before_mode FROM rest.coverage
        WHERE to_ns >= epoch_ns($since::TIMESTAMP) AND from_ns < epoch_ns($until::TIMESTAMP)
            AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
        WINDOW each AS (PARTITION BY sensor ORDER BY from_ns))
)
SELECT sensor, moment_of_ns(min(from_ns)) AS "from", moment_of_ns(max(to_ns)) AS "to", any_value(addresses) AS addresses,
    any_value(mode) AS mode, sum(dropped)::UBIGINT AS dropped
FROM ranges GROUP BY sensor, island
ORDER BY sensor, "from"
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
