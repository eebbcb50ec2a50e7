-- Accesses per address per day, by year
-- param hours [0]: hours east of UTC of the reporting zone; 9 for Japan
-- param sensor []: of this sensor alone
-- column year: year in that zone; sensors are those of one answer mode in all years, that which answers least
-- column accesses: per monitored address per day, over the time observed; NULL where no number of addresses is known
WITH asked AS (
    SELECT year(moment_of_second((hour + $hours::INTEGER)::BIGINT * 3600)) AS year, sensor, sum(accesses) AS accesses
    FROM class_hour
    WHERE $sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR
    GROUP BY ALL
)
SELECT year, round(sum(coalesce(accesses, 0)) FILTER (address_days > 0) / sum(address_days), 1) AS accesses
FROM address_years($hours::INTEGER, $sensor::VARCHAR) LEFT JOIN asked USING (year, sensor)
GROUP BY year
ORDER BY year
