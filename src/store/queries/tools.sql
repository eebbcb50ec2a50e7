-- Scanning tools, by the evidence that each source gave on each UTC day, at all sensors together
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- column tool: name of the tool; mixed: of several; unknown: no tool's marks, or too few of them
-- column source_days: sources, each once a day
-- column packets: all packets of these sources on these days
WITH marks AS (
    SELECT 4 AS version, ip_of4(source) AS source, day, mark FROM rest.marks4
    UNION ALL SELECT 6, ip_of6(source), day, mark FROM rest.marks6
), shown AS (
    SELECT source, day, list(mark) AS marks FROM marks
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
    GROUP BY source, day
), sent AS (
    SELECT source, day, sum(packets)::UBIGINT AS packets, sum(probes_tcp)::UBIGINT AS tcp, sum(probes_udp)::UBIGINT AS udp,
        sum(probes_icmp)::UBIGINT AS icmp, sum(probes_other)::UBIGINT AS other
    FROM source_day
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
    GROUP BY source, day
)
SELECT CASE WHEN marks IS NULL THEN 'unknown' ELSE tool(marks, tcp, udp, icmp, other) END AS tool, count(*) AS source_days,
    sum(packets)::UBIGINT AS packets
FROM sent LEFT JOIN shown USING (source, day)
GROUP BY ALL
ORDER BY packets DESC, tool
