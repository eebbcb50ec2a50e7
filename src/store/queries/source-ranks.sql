-- Sources that sent most in a span
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param by [minute]: day: the span is of whole days
-- param country []: of this country alone: two letters
-- param as []: of this autonomous system alone
-- param tool []: at which this tool was seen on a day of the span; unknown: none was
-- param protocol []: of this protocol alone: tcp, udp or sctp
-- param port []: of this port alone
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column source: source address
-- column packets: packets
-- column accesses: packets among them that ask for something
-- column ports: distinct destination ports; NULL over spans of more than 31 days
-- column tool: scanning tool by its evidence; unknown: too little
-- column country: two letters, as of when the row was kept
-- column as_number: number of its autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
-- column first: its first second in the span
-- column last: its last
-- column sensors: sensors that saw it
WITH sent4 AS MATERIALIZED (
    SELECT source, sum(packets) AS packets FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE ($by::VARCHAR <> 'day' OR $port::USMALLINT IS NOT NULL OR $protocol::VARCHAR IS NOT NULL)
        AND ($protocol::VARCHAR IS NULL OR protocol = protocol_number($protocol::VARCHAR))
        AND ($port::USMALLINT IS NULL OR (port = $port::USMALLINT AND has_port(protocol)))
        AND ($country::VARCHAR IS NULL OR country = $country::VARCHAR) AND ($as::UINTEGER IS NULL OR as_number = $as::UINTEGER)
    GROUP BY source
    UNION ALL
    SELECT source, sum(packets) FROM sources4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR = 'day' AND $port::USMALLINT IS NULL AND $protocol::VARCHAR IS NULL
        AND ($country::VARCHAR IS NULL OR country = $country::VARCHAR) AND ($as::UINTEGER IS NULL OR as_number = $as::UINTEGER)
    GROUP BY source
), most4 AS MATERIALIZED (
    SELECT source, packets FROM sent4 WHERE $tool::VARCHAR IS NULL
        OR source IN (SELECT source FROM tools4_within($since::TIMESTAMP, $until::TIMESTAMP) WHERE $tool::VARCHAR IS NOT NULL AND tool = $tool::VARCHAR)
        OR ($tool::VARCHAR = 'unknown' AND source NOT IN (SELECT source FROM tools4_within($since::TIMESTAMP, $until::TIMESTAMP) WHERE $tool::VARCHAR = 'unknown'))
    ORDER BY packets DESC, source LIMIT $limit::BIGINT + $offset::BIGINT
), tools4 AS (
    FROM tools4_of($since::TIMESTAMP, $until::TIMESTAMP, (SELECT list(source) FROM most4))
), more4 AS (
    SELECT source, sum(accesses) AS accesses, min(minute::BIGINT * 60 + first) AS first, max(minute::BIGINT * 60 + last) AS last,
        count(DISTINCT sensor) AS sensors, min(country) AS country, min(as_number) AS as_number
    FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE ($by::VARCHAR <> 'day' OR $port::USMALLINT IS NOT NULL OR $protocol::VARCHAR IS NOT NULL)
        AND ($protocol::VARCHAR IS NULL OR protocol = protocol_number($protocol::VARCHAR))
        AND ($port::USMALLINT IS NULL OR (port = $port::USMALLINT AND has_port(protocol)))
        AND source IN (SELECT source FROM most4)
    GROUP BY source
    UNION ALL
    SELECT source, sum(accesses), min(first), max(last), count(DISTINCT sensor), min(country), min(as_number)
    FROM sources4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR = 'day' AND $port::USMALLINT IS NULL AND $protocol::VARCHAR IS NULL AND source IN (SELECT source FROM most4)
    GROUP BY source
), ports4 AS (
    SELECT source, count(DISTINCT protocol::UINTEGER << 16 | port) AS ports FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE has_port(protocol) AND source IN (SELECT source FROM most4) AND $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY
    GROUP BY source
), sent6 AS MATERIALIZED (
    SELECT source, sum(packets) AS packets FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE ($by::VARCHAR <> 'day' OR $port::USMALLINT IS NOT NULL OR $protocol::VARCHAR IS NOT NULL)
        AND ($protocol::VARCHAR IS NULL OR protocol = protocol_number($protocol::VARCHAR))
        AND ($port::USMALLINT IS NULL OR (port = $port::USMALLINT AND has_port(protocol)))
        AND ($country::VARCHAR IS NULL OR country = $country::VARCHAR) AND ($as::UINTEGER IS NULL OR as_number = $as::UINTEGER)
    GROUP BY source
    UNION ALL
    SELECT source, sum(packets) FROM sources6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR = 'day' AND $port::USMALLINT IS NULL AND $protocol::VARCHAR IS NULL
        AND ($country::VARCHAR IS NULL OR country = $country::VARCHAR) AND ($as::UINTEGER IS NULL OR as_number = $as::UINTEGER)
    GROUP BY source
), most6 AS MATERIALIZED (
    SELECT source, packets FROM sent6 WHERE $tool::VARCHAR IS NULL
        OR source IN (SELECT source FROM tools6_within($since::TIMESTAMP, $until::TIMESTAMP) WHERE $tool::VARCHAR IS NOT NULL AND tool = $tool::VARCHAR)
        OR ($tool::VARCHAR = 'unknown' AND source NOT IN (SELECT source FROM tools6_within($since::TIMESTAMP, $until::TIMESTAMP) WHERE $tool::VARCHAR = 'unknown'))
    ORDER BY packets DESC, source LIMIT $limit::BIGINT + $offset::BIGINT
), tools6 AS (
    FROM tools6_of($since::TIMESTAMP, $until::TIMESTAMP, (SELECT list(source) FROM most6))
), more6 AS (
    SELECT source, sum(accesses) AS accesses, min(minute::BIGINT * 60 + first) AS first, max(minute::BIGINT * 60 + last) AS last,
        count(DISTINCT sensor) AS sensors, min(country) AS country, min(as_number) AS as_number
    FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE ($by::VARCHAR <> 'day' OR $port::USMALLINT IS NOT NULL OR $protocol::VARCHAR IS NOT NULL)
        AND ($protocol::VARCHAR IS NULL OR protocol = protocol_number($protocol::VARCHAR))
        AND ($port::USMALLINT IS NULL OR (port = $port::USMALLINT AND has_port(protocol)))
        AND source IN (SELECT source FROM most6)
    GROUP BY source
    UNION ALL
    SELECT source, sum(accesses), min(first), max(last), count(DISTINCT sensor), min(country), min(as_number)
    FROM sources6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE $by::VARCHAR = 'day' AND $port::USMALLINT IS NULL AND $protocol::VARCHAR IS NULL AND source IN (SELECT source FROM most6)
    GROUP BY source
), ports6 AS (
    SELECT source, count(DISTINCT protocol::UINTEGER << 16 | port) AS ports FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR)
    WHERE has_port(protocol) AND source IN (SELECT source FROM most6) AND $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY
    GROUP BY source
)
SELECT source, packets::UBIGINT AS packets, accesses::UBIGINT AS accesses,
    CASE WHEN $until::TIMESTAMP - $since::TIMESTAMP <= INTERVAL 31 DAY THEN coalesce(ports, 0)::UBIGINT END AS ports,
    coalesce(tool, 'unknown') AS tool, country, as_number, as_name(as_number) AS as_name, moment_of_second(first) AS first,
    moment_of_second(last) AS last, sensors
FROM (SELECT * REPLACE (ip_of4(source) AS source), source AS key4, NULL AS key6
        FROM most4 JOIN more4 USING (source) LEFT JOIN ports4 USING (source) LEFT JOIN tools4 USING (source)
    UNION ALL SELECT * REPLACE (ip_of6(source) AS source), NULL, source
        FROM most6 JOIN more6 USING (source) LEFT JOIN ports6 USING (source) LEFT JOIN tools6 USING (source))
ORDER BY packets DESC, key4, key6
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
