-- Source addresses that behave like bots in a span, those with most SYNs of grade B first
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param family []: of this family alone
-- param grade []: of this grade alone: B or C
-- param country []: of this country alone: two letters
-- param as []: of this autonomous system alone
-- param sensor []: of this sensor alone
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column source: source address
-- column family: that it behaves like
-- column grade: B: three SYNs or more, a steady TTL, two minutes or sensors; C: seen as source, possibly forged
-- column syns: its SYNs with the rule: distinct by source port and destination, in their minute
-- column minutes: minutes with some
-- column sensors: sensors that saw some
-- column ports: destination ports of them, at most 16
-- column usual: part of them to the ports that the family is known by, 0 to 1
-- column ttl_min: least TTL of these packets
-- column ttl_max: greatest
-- column first: first second of such a row in the span
-- column last: last
-- column country: two letters, as of when the last row was kept
-- column as_number: number of its autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
SELECT ip_of4(source) AS source, family, grade, syns, minutes, sensors, ports[1:16] AS ports, round(usual / syns, 6) AS usual, ttl_min,
    ttl_max, moment_of_second(first) AS first, moment_of_second(last) AS last, country, as_number, as_name(as_number) AS as_name
FROM (FROM bots_asked($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, $family::VARCHAR, $grade::VARCHAR, $country::VARCHAR, $as::UINTEGER)
    AS b ORDER BY b.grade, b.syns DESC, b.source, b.family LIMIT $limit::BIGINT OFFSET $offset::BIGINT)
