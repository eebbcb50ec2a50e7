-- Accesses per monitored address per day, over the time that was observed
-- param from []: first day, as 2026-11-24; without it the first there is
-- param to []: last day; without it the last there is
-- param sensor []: of this sensor alone
-- column day: UTC day
-- column accesses: packets that ask for something, at sensors whose number of addresses is known, all of one answer mode: that which answers least
-- column address_days: days that these addresses were observed for, together
-- column rate: accesses / address_days; NULL where no number of addresses is known
-- column observed: part of the day that the sensors observed, 0 to 1
WITH days AS (
    SELECT *, address_days IS NOT NULL AND mode_rank(mode) = min(mode_rank(mode)) FILTER (address_days IS NOT NULL) OVER () AS counted
    FROM coverage_day
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
), seen AS (
    SELECT day, sum(address_days) FILTER (counted) AS address_days, avg(least(seconds / 86400, 1)) AS observed FROM days GROUP BY day
), asked AS (
    SELECT day, sum(accesses)::UBIGINT AS accesses
    FROM class_hour
    WHERE day BETWEEN coalesce($from::DATE, '-infinity') AND coalesce($to::DATE, 'infinity')
        AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
        AND (day, sensor) IN (SELECT (day, sensor) FROM days WHERE counted)
    GROUP BY day
)
SELECT day, CASE WHEN address_days IS NOT NULL THEN coalesce(accesses, 0) END AS accesses, address_days,
    coalesce(accesses, 0) / nullif(address_days, 0) AS rate, round(observed, 6) AS observed
FROM seen LEFT JOIN asked USING (day)
ORDER BY day
