-- Scanning tools, by the evidence that each source gave on each UTC day, at all sensors together
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- column tool: name of the tool; mixed: of several; unknown: no tool's marks, or too few of them
-- column source_days: sources, each once a day
-- column packets: all packets of these sources on these days
WITH named AS (
    SELECT day, tool, packets FROM tools_of_days('rest.marks4', 'rest.source_day4')
    UNION ALL SELECT day, tool, packets FROM tools_of_days('rest.marks6', 'rest.source_day6')
)
SELECT tool, count(*) AS source_days, sum(packets)::UBIGINT AS packets
FROM named
WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
GROUP BY tool
ORDER BY packets DESC, tool
