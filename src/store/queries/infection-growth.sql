-- Whether source addresses that behave like bots become more over a span: a Poisson regression of their number in each step
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param step [hour]: minute, 10min, hour or day
-- param family []: of this family alone
-- param grade []: of this grade alone: B or C
-- param country []: of this country alone: two letters
-- param as []: of this autonomous system alone
-- param sensor []: of this sensor alone
-- column family: that they behave like
-- column steps: steps that were observed nearly whole, by nearly as many sensors as any (9 parts of 10); fewer than 6, or all in one: nothing is told
-- column mean: distinct sources a step, on average
-- column hourly: growth in an hour: e^b - 1, of counts that are Poisson's of exp(a + b·t)
-- column hourly_low: 95 % of it lie above: Student's t, widened by the dispersion
-- column hourly_high: and below
-- column doubling: hours in which they double; NULL: the interval of the growth has 0 in it or lies below
-- column doubling_low: 95 % of it lie above
-- column doubling_high: and below
-- column dispersion: Pearson's chi-square by degrees of freedom, times what neighbours have in common; 1 or more
WITH seen AS (
    SELECT unit, sum(observed_ns) AS observed_ns
    FROM coverage_within($since::TIMESTAMP, $until::TIMESTAMP, step_seconds($step::VARCHAR), $sensor::VARCHAR) GROUP BY unit
), steps AS (
    SELECT unit FROM seen WHERE observed_ns >= 0.9e9 * step_seconds($step::VARCHAR)
        AND observed_ns >= 0.9 * (SELECT max(observed_ns) FROM seen)
), found AS MATERIALIZED (
    SELECT family, unit, count(DISTINCT source) AS sources
    FROM (SELECT family, source, unnest(list_distinct(list_transform(seen, lambda s: s.minute::BIGINT * 60 // step_seconds($step::VARCHAR)))) AS unit
        FROM bots_asked($since::TIMESTAMP, $until::TIMESTAMP, $sensor::VARCHAR, $family::VARCHAR, $grade::VARCHAR, $country::VARCHAR, $as::UINTEGER))
    GROUP BY ALL
), placed AS (
    SELECT family, unit, coalesce(sources, 0)::DOUBLE AS y, (unit - (first + last) / 2) / (last - first) AS t, (last - first) AS width
    FROM (SELECT family, unit FROM (SELECT DISTINCT family FROM found) CROSS JOIN steps)
        CROSS JOIN (SELECT min(unit) AS first, max(unit) AS last FROM steps) LEFT JOIN found USING (family, unit)
), gathered AS (
    SELECT family, count(*) AS steps, sum(y) AS whole, list(t ORDER BY unit) AS ts, list(y ORDER BY unit) AS ys,
        sum(t * y) / nullif(sum(y), 0) AS mean, any_value(width) * step_seconds($step::VARCHAR) / 3600 AS hours
    FROM placed GROUP BY family
), fitted AS (
    SELECT *, CASE WHEN steps >= 6 AND len(list_filter(ys, lambda y: y > 0)) > 1 THEN log_slope(ts, mean) END AS b FROM gathered
), expected AS (
    SELECT *, tilted(ts, b, 0) AS weight, list_transform(ts, lambda t: whole * exp(b * t) / tilted(ts, b, 0)) AS mus FROM fitted
), residual AS (
    SELECT *, list_transform(list_zip(ys, mus), lambda z: (z[1] - z[2]) / sqrt(z[2])) AS rs FROM expected
), dispersed AS (
    SELECT *, list_sum(list_transform(rs, lambda r: r * r)) AS chi,
        list_sum(list_transform(list_zip(rs[:-2], rs[2:]), lambda z: z[1] * z[2])) AS lagged FROM residual
), weighed AS (
    SELECT *, greatest(chi / (steps - 2), 1)
            * greatest((1 + least(lagged / nullif(chi, 0), 0.9)) / (1 - least(lagged / nullif(chi, 0), 0.9)), 1) AS dispersion
    FROM dispersed
), told AS (
    SELECT *, student(steps - 2) * sqrt(dispersion / (whole * tilted_variance(ts, b))) AS width FROM weighed
)
SELECT family, steps, whole / steps AS mean, exp(b / hours) - 1 AS hourly, exp((b - width) / hours) - 1 AS hourly_low,
    exp((b + width) / hours) - 1 AS hourly_high, CASE WHEN b > width THEN ln(2) * hours / b END AS doubling,
    CASE WHEN b > width THEN ln(2) * hours / (b + width) END AS doubling_low,
    CASE WHEN b > width THEN ln(2) * hours / (b - width) END AS doubling_high, dispersion
FROM told
ORDER BY family
