-- Packets by day and class
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- param sensor []: of this sensor alone
-- column day: UTC day
-- column class: class of the packets
-- column packets: packets
-- column accesses: packets among them that ask for something
-- column bytes: sum of IP lengths
SELECT day, class_name(class) AS class, sum(packets)::UBIGINT AS packets, sum(accesses)::UBIGINT AS accesses,
    sum(bytes)::UBIGINT AS bytes
FROM class_hour
WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
    AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
GROUP BY day, class_hour.class
ORDER BY day, class_hour.class
