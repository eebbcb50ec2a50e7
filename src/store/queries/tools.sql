-- Scanning tools, by the evidence that each source gave on each UTC day, at all sensors together
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- column tool: name of the tool; mixed: of several; unknown: no tool's marks, or too few of them
-- column source_days: sources, each once a day
-- column packets: all packets of these sources on these days
WITH rows4 AS (
    SELECT source, day, mark, 0::UBIGINT AS packets, 0::UBIGINT AS tcp, 0::UBIGINT AS udp, 0::UBIGINT AS icmp, 0::UBIGINT AS other
    FROM rest.marks4
    UNION ALL SELECT source, day, NULL, packets, probes_tcp, probes_udp, probes_icmp, probes_other FROM rest.source_day4
), rows6 AS (
    SELECT source, day, mark, 0::UBIGINT AS packets, 0::UBIGINT AS tcp, 0::UBIGINT AS udp, 0::UBIGINT AS icmp, 0::UBIGINT AS other
    FROM rest.marks6
    UNION ALL SELECT source, day, NULL, packets, probes_tcp, probes_udp, probes_icmp, probes_other FROM rest.source_day6
), named AS (
    SELECT tool_of_day(mark, tcp, udp, icmp, other) AS tool, sum(packets) AS packets FROM rows4
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
    GROUP BY source, day HAVING bool_or(mark IS NULL)
    UNION ALL
    SELECT tool_of_day(mark, tcp, udp, icmp, other), sum(packets) FROM rows6
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
    GROUP BY source, day HAVING bool_or(mark IS NULL)
)
SELECT tool, count(*) AS source_days, sum(packets)::UBIGINT AS packets
FROM named
GROUP BY tool
ORDER BY packets DESC, tool
