-- Times that a sensor did not observe, between its first moment and its last
-- param seconds [60]: shortest gap that is told
-- column sensor: name of the sensor
-- column from: last moment before the gap
-- column to: first moment after it
-- column seconds: between them
SELECT sensor, moment_of_ns(to_ns) AS "from", moment_of_ns(next_ns) AS "to", round((next_ns - to_ns) / 1e9, 3) AS seconds
FROM (SELECT sensor, to_ns, lead(from_ns) OVER (PARTITION BY sensor ORDER BY from_ns) AS next_ns FROM rest.coverage)
WHERE (next_ns - to_ns) / 1e9 >= $seconds::DOUBLE
ORDER BY sensor, "from"
