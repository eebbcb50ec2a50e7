-- Attacks under way in a span, by step and verdict
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param step [hour]: minute, 10min, hour or day
-- param verdict []: attack, scan, reflection or undecided alone
-- param country []: victims there alone
-- param as []: victims of this autonomous system alone
-- param protocol []: attacked protocol, as tcp
-- param port []: attacked port
-- column moment: where the step begins
-- column verdict: attack; scan (it sends SYN+ACKs or RSTs itself); reflection (at us); undecided (never an alert)
-- column attacks: under way in it
-- column begun: of them, those that began in this step
-- column victims: distinct
SELECT greatest($since::TIMESTAMP, moment_of_second(step)) AS moment, verdict, count(*) AS attacks,
    count_if(epoch(first)::BIGINT // step_seconds($step::VARCHAR) * step_seconds($step::VARCHAR) = step) AS begun,
    count(DISTINCT victim) AS victims
FROM (SELECT victim, verdict, first,
        unnest(range(greatest(epoch(first)::BIGINT, epoch($since::TIMESTAMP)::BIGINT) // step_seconds($step::VARCHAR) * step_seconds($step::VARCHAR),
            least(epoch(last)::BIGINT + 1, epoch($until::TIMESTAMP)::BIGINT), step_seconds($step::VARCHAR))) AS step
    FROM attacks_within($since::TIMESTAMP, $until::TIMESTAMP, $verdict::VARCHAR, $country::VARCHAR, $as::UINTEGER, $protocol::VARCHAR,
        $port::USMALLINT))
GROUP BY ALL
ORDER BY moment, verdict
