-- Ports that were asked for most
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- column protocol: tcp, udp or sctp
-- column port: destination port
-- column accesses: packets that ask for something
-- column share: of all accesses, those without a port too; 0 to 1
SELECT protocol_name(protocol) AS protocol, port, accesses, accesses / sum(accesses) OVER () AS share
FROM (
    SELECT protocol, CASE WHEN has_port(protocol) THEN port END AS port, sum(accesses)::UBIGINT AS accesses
    FROM rest.port_span
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
    GROUP BY ALL
)
QUALIFY port IS NOT NULL AND accesses > 0
ORDER BY accesses DESC, protocol, port
LIMIT $limit::BIGINT
