-- Source addresses that behave like bots in a span, by step, family and grade
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param step [hour]: minute, 10min, hour or day
-- param family []: of this family alone
-- param grade []: of this grade alone: B or C
-- param country []: of this country alone: two letters
-- param as []: of this autonomous system alone
-- param sensor []: of this sensor alone
-- column moment: where the step begins
-- column family: that they behave like
-- column grade: of the source in the whole span: B: three SYNs or more, a steady TTL, two minutes or sensors; C: possibly forged
-- column sources: distinct source addresses in the step
-- column syns: their SYNs with the rule
SELECT greatest($since::TIMESTAMP, moment_of_second(unit * step_seconds($step::VARCHAR))) AS moment, family, grade,
    count(DISTINCT source) AS sources, sum(syns)::UBIGINT AS syns
FROM (SELECT family, grade, source, seen.minute::BIGINT * 60 // step_seconds($step::VARCHAR) AS unit, seen.syns AS syns
    FROM (SELECT family, grade, source, unnest(seen) AS seen
        FROM bots_asked($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, $family::VARCHAR, $grade::VARCHAR, $country::VARCHAR, $as::UINTEGER)))
GROUP BY unit, family, grade
ORDER BY moment, family, grade
