-- Accesses per address per day, by year and band of destination ports
-- param hours [0]: hours east of UTC of the reporting zone; 9 for Japan
-- param sensor []: of this sensor alone
-- column year: year in that zone; sensors are those of one answer mode in all years, that which answers least
-- column ports_low: to ports up to 1023, per monitored address per day
-- column ports_high: to ports from 1024
-- column without_port: to what has no port, as ICMP
WITH asked AS (
    SELECT year(moment_of_second((hour + $hours::INTEGER)::BIGINT * 3600)) AS year, sensor,
        sum(accesses) FILTER (band = 1) AS low, sum(accesses) FILTER (band = 2) AS high, sum(accesses) FILTER (band = 0) AS none
    FROM class_hour
    WHERE $sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR
    GROUP BY ALL
)
SELECT year, round(sum(coalesce(low, 0)) FILTER (address_days > 0) / sum(address_days), 1) AS ports_low,
    round(sum(coalesce(high, 0)) FILTER (address_days > 0) / sum(address_days), 1) AS ports_high,
    round(sum(coalesce(none, 0)) FILTER (address_days > 0) / sum(address_days), 1) AS without_port
FROM address_years($hours::INTEGER, $sensor::VARCHAR) LEFT JOIN asked USING (year, sensor)
GROUP BY year
ORDER BY year
