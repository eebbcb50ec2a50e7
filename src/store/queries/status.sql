-- What there is, in one row
-- column as_of: end of the last sealed minute; NULL: nothing was stored yet
-- column first: the first moment that was observed
-- column simulated: whether packets are made up
-- column sensors: sensors that have sent anything
-- column addresses: monitored addresses of those that said how many; NULL: none did
-- column mode: how the sensors answer that rates are told of, in the last 28 days; NULL: no rate is told
-- column apart: sensors of the last 28 days that no rate is told of since they answer otherwise, or now so, now so
-- column packets: packets that were read
-- column without_rows: of these ignored or undecoded, which make no row
-- column refused: segments of which nothing is in the rows: too late, or left out because reading them ended the keeper twice
WITH told AS (SELECT coalesce(max(to_ns), 0) AS last FROM rest.coverage
), modes AS (
    SELECT mode, mode_rank(mode) = min(mode_rank(mode)) OVER () AS counted
    FROM modes_within(moment_of_ns((SELECT last FROM told)) - INTERVAL 28 DAY, moment_of_ns((SELECT last FROM told)) + INTERVAL 1 SECOND,
        NULL::VARCHAR) WHERE known
), answers AS (
    SELECT any_value(mode) FILTER (counted) AS mode, count(*) FILTER (counted IS DISTINCT FROM true) AS apart FROM modes
)
SELECT moment_of_minute(max(minute) + 1) AS as_of, moment_of_ns(min(first)) AS first,
    coalesce((SELECT bool_or(simulated = 1) FROM rest.segments WHERE state = 'stored'), false) AS simulated,
    (SELECT count(*) FROM rest.sensors) AS sensors,
    (SELECT sum(nullif(addresses, 0))::UBIGINT FROM rest.sensors) AS addresses,
    (SELECT mode FROM answers) AS mode, (SELECT apart FROM answers)::UBIGINT AS apart,
    coalesce((SELECT sum(packets) FROM rest.segments WHERE state = 'stored'), 0)::UBIGINT AS packets,
    greatest(coalesce((SELECT sum(packets) FROM rest.segments WHERE state = 'stored'), 0)
        - coalesce((SELECT sum(packets) FROM rest.windows), 0), 0)::UBIGINT AS without_rows,
    (SELECT count(*) FROM rest.segments WHERE state = 'refused')::UBIGINT AS refused
FROM (SELECT to_ns // 60000000000 AS minute, from_ns AS first FROM rest.coverage
    UNION ALL SELECT minute, minute * 60000000000 FROM rest.windows)
