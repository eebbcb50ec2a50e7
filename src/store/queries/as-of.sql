-- What there is: up to when, since when, and whether packets are made up
-- column as_of: end of the last sealed minute; NULL: nothing was stored yet
-- column first: the first moment that was observed
-- column simulated: whether packets are made up
SELECT moment_of_minute(max(minute) + 1) AS as_of, moment_of_ns(min(first)) AS first,
    coalesce((SELECT bool_or(simulated = 1) FROM rest.segments WHERE state = 'stored'), false) AS simulated
FROM (SELECT to_ns // 60000000000 AS minute, from_ns AS first FROM rest.coverage
    UNION ALL SELECT minute, minute * 60000000000 FROM rest.windows)
