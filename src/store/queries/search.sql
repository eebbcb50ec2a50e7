-- What a text may mean, with what was asked for in a span
-- param q: an address, a prefix of IPv4, a port (23, tcp/23), a country, AS and a number, or a part of a name
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- column kind: address, prefix, port, country, network, tool or sensor
-- column value: what names it in the other resources; of a port protocol/port
-- column text: what it is called
-- column accesses: packets that asked for something in the span; NULL: not counted
WITH asks AS (
    SELECT protocol, port, country, as_number, source, accesses FROM flow4_within($since::TIMESTAMP, $until::TIMESTAMP, NULL::VARCHAR) WHERE accesses > 0
), wanted AS (
    SELECT ip4($q::VARCHAR) AS four, ip6($q::VARCHAR) AS six, lower(trim($q::VARCHAR)) AS q,
        regexp_extract(trim($q::VARCHAR), '^[0-9.]+/([0-9]|[12][0-9]|3[0-2])$', 1) AS bits,
        ip4(regexp_extract(trim($q::VARCHAR), '^([0-9.]+)/', 1)) AS net,
        regexp_extract(lower(trim($q::VARCHAR)), '^((tcp|udp|sctp)[/ ])?([0-9]{1,5})([/ ](tcp|udp|sctp))?$', ['x', 'a', 'port', 'y', 'b']) AS p,
        regexp_extract(lower(trim($q::VARCHAR)), '^as ?([0-9]{1,10})$', 1) AS number
)
SELECT 'address' AS kind, ip_of4(four) AS value, ip_of4(four) AS text,
    (SELECT coalesce(sum(accesses), 0)::UBIGINT FROM asks WHERE source = ip4($q::VARCHAR)) AS accesses
FROM wanted WHERE four IS NOT NULL
UNION ALL
SELECT 'address', ip_of6(six), ip_of6(six), (SELECT coalesce(sum(accesses), 0)::UBIGINT
    FROM flow6_within($since::TIMESTAMP, $until::TIMESTAMP, NULL::VARCHAR) WHERE source = ip6($q::VARCHAR))
FROM wanted WHERE six IS NOT NULL
UNION ALL
SELECT 'prefix', any_value(ip_of4(net) || '/' || bits), count(DISTINCT source) || ' sources', sum(accesses)::UBIGINT
FROM (SELECT net, bits FROM wanted WHERE bits <> '' AND net IS NOT NULL) JOIN asks
    ON source BETWEEN net AND net::BIGINT + (1::BIGINT << (32 - bits::INTEGER)) - 1
HAVING count(*) > 0
UNION ALL
(SELECT 'port', protocol_name(protocol) || '/' || port, protocol_name(protocol) || '/' || port, sum(accesses)::UBIGINT AS sum
FROM asks JOIN (SELECT p.port::UINTEGER AS port, coalesce(nullif(p.a, ''), p.b) AS name FROM wanted WHERE p.port <> '') AS one USING (port)
WHERE has_port(protocol) AND (one.name = '' OR protocol = protocol_number(one.name))
GROUP BY protocol, port ORDER BY sum DESC)
UNION ALL
SELECT 'country', country, country, sum(accesses)::UBIGINT FROM asks JOIN wanted ON lower(country) = q GROUP BY country
UNION ALL
(SELECT 'network', as_number::VARCHAR, coalesce(as_name(as_number), 'AS' || as_number), sum::UBIGINT
FROM (SELECT as_number, sum(accesses) AS sum FROM asks WHERE as_number IS NOT NULL GROUP BY as_number) CROSS JOIN wanted
WHERE as_number::VARCHAR = number OR as_number::VARCHAR = q OR (length(q) >= 2 AND contains(lower(as_name(as_number)), q))
ORDER BY sum DESC LIMIT 20)
UNION ALL
SELECT 'tool', tool, tool, NULL
FROM (SELECT unnest(['zmap', 'xmap', 'masscan', 'nmap', 'hping3', 'mirai', 'unicornscan', 'hajime', 'mixed', 'unknown']) AS tool)
    CROSS JOIN wanted WHERE contains(tool, q)
UNION ALL
SELECT 'sensor', sensor, sensor, NULL FROM rest.sensors CROSS JOIN wanted WHERE contains(lower(sensor), q)
