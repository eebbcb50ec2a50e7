-- The views of a store for readers (docs/formats/store.md). A line "part" is a table at rest that lies in parts, a line
-- "snapshot" one of the snapshot's files: with their columns, for a store that has no such file yet. An edge has those
-- parts of another table whose days no sums of a month have. What a named query does not come to is not made (reader_scope.c):
-- every statement begins a line, ends one, and comes after what it names.
-- snapshot parts: id UBIGINT, table_name VARCHAR, day DATE, sensor VARCHAR, path VARCHAR, rows UBIGINT, bytes UBIGINT, from_minute INTEGER, to_minute INTEGER
-- snapshot meta: key VARCHAR, value BIGINT
-- snapshot segments: id UINTEGER, segment VARCHAR, sensor VARCHAR, path VARCHAR, packets UBIGINT, bytes UBIGINT, uncompressed UBIGINT, from_ns BIGINT, to_ns BIGINT, options VARCHAR, schema UINTEGER, state VARCHAR, reason VARCHAR, commit UBIGINT, simulated UTINYINT
-- snapshot windows: sensor VARCHAR, minute INTEGER, revision UINTEGER, flows UBIGINT, packets UBIGINT, attempts UBIGINT, victim_seconds UBIGINT, flow_payloads UBIGINT, flow_digest UUID, victim_digest UUID, payload_digest UUID
-- snapshot coverage: sensor VARCHAR, from_ns BIGINT, to_ns BIGINT, addresses UBIGINT, mode VARCHAR, dropped UBIGINT
-- snapshot sensors: sensor VARCHAR, hash UBIGINT, addresses UBIGINT, monitored VARCHAR
-- part flow4: minute INTEGER, source UINTEGER, port USMALLINT, protocol UTINYINT, class UTINYINT, tags USMALLINT, rules USMALLINT, packets UINTEGER, destinations UINTEGER, accesses UINTEGER, attempts UINTEGER, bytes UBIGINT, length_min USMALLINT, length_max USMALLINT, ttl_min UTINYINT, ttl_max UTINYINT, first UTINYINT, last UTINYINT, tcp_flags UTINYINT, syn BLOB, country VARCHAR, as_number UINTEGER, country_db UUID, as_db UUID
-- part flow6: minute INTEGER, source UUID, port USMALLINT, protocol UTINYINT, class UTINYINT, tags USMALLINT, rules USMALLINT, packets UINTEGER, destinations UINTEGER, accesses UINTEGER, attempts UINTEGER, bytes UBIGINT, length_min USMALLINT, length_max USMALLINT, ttl_min UTINYINT, ttl_max UTINYINT, first UTINYINT, last UTINYINT, tcp_flags UTINYINT, syn BLOB, country VARCHAR, as_number UINTEGER, country_db UUID, as_db UUID
-- part flow_payload4: minute INTEGER, source UINTEGER, port USMALLINT, protocol UTINYINT, content UUID, packets UINTEGER, bytes UBIGINT, destinations UINTEGER, first UTINYINT, last UTINYINT
-- part flow_payload6: minute INTEGER, source UUID, port USMALLINT, protocol UTINYINT, content UUID, packets UINTEGER, bytes UBIGINT, destinations UINTEGER, first UTINYINT, last UTINYINT
-- part victim_second4: second BIGINT, victim UINTEGER, kind UTINYINT, protocol UTINYINT, port USMALLINT, packets UINTEGER, bytes UBIGINT, attackers UINTEGER, forged UINTEGER, length_min USMALLINT, length_max USMALLINT, ttl_min UTINYINT, ttl_max UTINYINT, sample BLOB, country VARCHAR, as_number UINTEGER, country_db UUID, as_db UUID
-- part victim_second6: second BIGINT, victim UUID, kind UTINYINT, protocol UTINYINT, port USMALLINT, packets UINTEGER, bytes UBIGINT, attackers UINTEGER, forged UINTEGER, length_min USMALLINT, length_max USMALLINT, ttl_min UTINYINT, ttl_max UTINYINT, sample BLOB, country VARCHAR, as_number UINTEGER, country_db UUID, as_db UUID
-- part source_evidence4: hour INTEGER, source UINTEGER, protocol UTINYINT, rule UTINYINT, packets UBIGINT, tuples UINTEGER, sport_min USMALLINT, sport_max USMALLINT, ttl_min UTINYINT, ttl_max UTINYINT, tuple_set BLOB, registers BLOB, keys BLOB
-- part source_evidence6: hour INTEGER, source UUID, protocol UTINYINT, rule UTINYINT, packets UBIGINT, tuples UINTEGER, sport_min USMALLINT, sport_max USMALLINT, ttl_min UTINYINT, ttl_max UTINYINT, tuple_set BLOB, registers BLOB, keys BLOB
-- part attack: victim UUID, first BIGINT, last BIGINT, packets UBIGINT, bytes UBIGINT, forged UBIGINT, appearances UBIGINT, addresses UBIGINT, peak UBIGINT, peak_forged UBIGINT, peak_minute BIGINT, sampled UINTEGER, addresses_seen UINTEGER, ports_seen UINTEGER, attacked UINTEGER, vectors UINTEGER, port USMALLINT, length_min USMALLINT, length_max USMALLINT, kind UTINYINT, protocol UTINYINT, ttl_min UTINYINT, ttl_max UTINYINT, verdict UTINYINT, country VARCHAR, as_number UINTEGER
-- part attack_vector: victim UUID, attack BIGINT, first BIGINT, last BIGINT, packets UBIGINT, bytes UBIGINT, forged UBIGINT, port USMALLINT, length_min USMALLINT, length_max USMALLINT, kind UTINYINT, protocol UTINYINT, ttl_min UTINYINT, ttl_max UTINYINT
-- part onset: victim UUID, raised BIGINT, first BIGINT, last BIGINT, settled BIGINT, addresses UBIGINT, packets UINTEGER, evidence UINTEGER, port USMALLINT, kind UTINYINT, protocol UTINYINT, outcome UTINYINT, country VARCHAR, as_number UINTEGER
-- part attack_corsaro2: victim UUID, protocol UTINYINT, first BIGINT, last BIGINT, packets UBIGINT, bytes UBIGINT, max_ppm UBIGINT, ports UINTEGER, attackers UINTEGER, country VARCHAR, as_number UINTEGER
-- part attack_corsaro3: victim UUID, protocol UTINYINT, first BIGINT, last BIGINT, packets UBIGINT, bytes UBIGINT, max_ppm UBIGINT, ports UINTEGER, attackers UINTEGER, country VARCHAR, as_number UINTEGER
-- part port_day: protocol UTINYINT, port USMALLINT, class UTINYINT, packets UBIGINT, accesses UBIGINT, attempts UBIGINT, bytes UBIGINT, flows UBIGINT
-- part class_month: hour INTEGER, protocol UTINYINT, class UTINYINT, band UTINYINT, packets UBIGINT, accesses UBIGINT, attempts UBIGINT, bytes UBIGINT, flows UBIGINT
-- part port_month: protocol UTINYINT, port USMALLINT, class UTINYINT, packets UBIGINT, accesses UBIGINT, attempts UBIGINT, bytes UBIGINT, flows UBIGINT
-- part source_month4: on_day DATE, source UINTEGER, packets UBIGINT, accesses UBIGINT, attempts UBIGINT, bytes UBIGINT, first BIGINT, last BIGINT, classes UTINYINT, country VARCHAR, as_number UINTEGER, probes_tcp UBIGINT, probes_udp UBIGINT, probes_icmp UBIGINT, probes_other UBIGINT
-- part source_month6: on_day DATE, source UUID, packets UBIGINT, accesses UBIGINT, attempts UBIGINT, bytes UBIGINT, first BIGINT, last BIGINT, classes UTINYINT, country VARCHAR, as_number UINTEGER, probes_tcp UBIGINT, probes_udp UBIGINT, probes_icmp UBIGINT, probes_other UBIGINT
-- part origin_month4: net UTINYINT, country VARCHAR, as_number UINTEGER, packets UBIGINT, accesses UBIGINT, sources BLOB
-- part class_edge: hour INTEGER, protocol UTINYINT, class UTINYINT, band UTINYINT, packets UBIGINT, accesses UBIGINT, attempts UBIGINT, bytes UBIGINT, flows UBIGINT
-- part port_edge: protocol UTINYINT, port USMALLINT, class UTINYINT, packets UBIGINT, accesses UBIGINT, attempts UBIGINT, bytes UBIGINT, flows UBIGINT
-- part flow_edge4: minute INTEGER, source UINTEGER, port USMALLINT, protocol UTINYINT, class UTINYINT, tags USMALLINT, rules USMALLINT, packets UINTEGER, destinations UINTEGER, accesses UINTEGER, attempts UINTEGER, bytes UBIGINT, length_min USMALLINT, length_max USMALLINT, ttl_min UTINYINT, ttl_max UTINYINT, first UTINYINT, last UTINYINT, tcp_flags UTINYINT, syn BLOB, country VARCHAR, as_number UINTEGER, country_db UUID, as_db UUID
-- part flow_edge6: minute INTEGER, source UUID, port USMALLINT, protocol UTINYINT, class UTINYINT, tags USMALLINT, rules USMALLINT, packets UINTEGER, destinations UINTEGER, accesses UINTEGER, attempts UINTEGER, bytes UBIGINT, length_min USMALLINT, length_max USMALLINT, ttl_min UTINYINT, ttl_max UTINYINT, first UTINYINT, last UTINYINT, tcp_flags UTINYINT, syn BLOB, country VARCHAR, as_number UINTEGER, country_db UUID, as_db UUID
-- part source_edge4: on_day DATE, source UINTEGER, packets UBIGINT, accesses UBIGINT, attempts UBIGINT, bytes UBIGINT, first BIGINT, last BIGINT, classes UTINYINT, country VARCHAR, as_number UINTEGER, probes_tcp UBIGINT, probes_udp UBIGINT, probes_icmp UBIGINT, probes_other UBIGINT

-- Names of numbers. A test compares them with the program's own.
CREATE MACRO class_name(c) AS
    ['ignored', 'undecoded', 'backscatter', 'p2p', 'scan', 'payload', 'misconfiguration', 'other'][c + 1];
CREATE MACRO rule_name(r) AS ['mirai-seq', 'zmap-id', 'zmap4-header', 'masscan-id', 'nmap-header', 'nmap-pair',
    'hping3-header', 'unicornscan-pair', 'hajime-header', 'constant-seq', 'reply-id'][r + 1];
CREATE MACRO protocol_name(p) AS CASE p WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmpv6'
    WHEN 132 THEN 'sctp' WHEN 41 THEN 'ipv6' WHEN 47 THEN 'gre' WHEN 4 THEN 'ipip' WHEN 50 THEN 'esp' ELSE p::VARCHAR END;
CREATE MACRO reply_name(k) AS ['syn_ack', 'rst', 'error', 'reply'][k + 1];
CREATE MACRO has_port(p) AS p IN (6, 17, 132);
CREATE MACRO has_type(p) AS p IN (1, 58);
-- Moments. Minutes, hours and seconds at rest are numbers since 1970, UTC, and so are the timestamps.
CREATE MACRO moment_of_second(s) AS make_timestamp((s)::BIGINT * 1000000);
CREATE MACRO moment_of_minute(m) AS make_timestamp((m)::BIGINT * 60000000);
CREATE MACRO moment_of_ns(ns) AS make_timestamp((ns) // 1000);
-- 0: no port, 1: to 1023, 2: from 1024.
CREATE MACRO band_of(p, port) AS (CASE WHEN NOT has_port(p) THEN 0 WHEN port <= 1023 THEN 1 ELSE 2 END)::UTINYINT;

-- Rows as they were observed: what another column tells is there again. Keys are numbers, for speed. Country and AS are
-- as of when the row was kept.
CREATE MACRO whole_flow(rows) AS TABLE SELECT day, sensor, minute, source, port, protocol, class, tags, rules, packets,
    coalesce(destinations, packets) AS destinations, coalesce(accesses, packets) AS accesses,
    coalesce(attempts, packets) AS attempts, coalesce(bytes, packets::UBIGINT * length_min) AS bytes, length_min,
    coalesce(length_max, length_min) AS length_max, ttl_min, coalesce(ttl_max, ttl_min) AS ttl_max, first,
    coalesce(last, first) AS last, tcp_flags, syn, country, as_number, country_db, as_db FROM query_table(rows);
CREATE VIEW flow4 AS FROM whole_flow('rest.flow4');
CREATE VIEW flow6 AS FROM whole_flow('rest.flow6');

-- The same for people.
CREATE VIEW flow AS SELECT day, sensor, moment_of_minute(minute) AS minute, source, version,
    protocol_name(protocol) AS protocol, CASE WHEN has_port(protocol) THEN port END AS port,
    CASE WHEN has_type(protocol) THEN port >> 8 END AS icmp_type, CASE WHEN has_type(protocol) THEN port & 255 END AS icmp_code,
    class_name(class) AS class, packets, accesses, attempts, destinations, bytes, length_min, length_max, ttl_min, ttl_max,
    moment_of_second(minute::BIGINT * 60 + first) AS first, moment_of_second(minute::BIGINT * 60 + last) AS last, tcp_flags,
    ja4t(syn) AS ja4t, list_filter(list_transform(range(11), lambda r: CASE WHEN rules >> r & 1 = 1 THEN rule_name(r) END),
    lambda r: r IS NOT NULL) AS rules, tags, country, as_number
    FROM (SELECT * REPLACE (ip_of4(source) AS source), 4::UTINYINT AS version FROM flow4
        UNION ALL SELECT * REPLACE (ip_of6(source) AS source), 6::UTINYINT AS version FROM flow6);
CREATE VIEW flow_payload AS SELECT day, sensor, moment_of_minute(minute) AS minute, source, version,
    protocol_name(protocol) AS protocol, port, content, packets, bytes, coalesce(destinations, packets) AS destinations,
    moment_of_second(minute::BIGINT * 60 + first) AS first, moment_of_second(minute::BIGINT * 60 + coalesce(last, first)) AS last
    FROM (SELECT * REPLACE (ip_of4(source) AS source), 4::UTINYINT AS version FROM rest.flow_payload4
        UNION ALL SELECT * REPLACE (ip_of6(source) AS source), 6::UTINYINT AS version FROM rest.flow_payload6);
-- Of rows from before kinds were told, kind and what came with it are NULL; so many pairs as addresses were forged, or more.
CREATE MACRO whole_victim_second(rows) AS TABLE SELECT day, sensor, second, victim, kind, protocol, port, packets, bytes,
    coalesce(attackers, packets) AS attackers,
    coalesce(forged, CASE WHEN kind IS NULL THEN attackers END, packets) AS forged, length_min,
    coalesce(length_max, length_min) AS length_max, ttl_min, coalesce(ttl_max, ttl_min) AS ttl_max, sample, country, as_number
    FROM query_table(rows);
CREATE VIEW victim_second AS SELECT day, sensor, moment_of_second(second) AS second, victim, version,
    reply_name(kind) AS kind, protocol_name(protocol) AS protocol, CASE WHEN has_port(protocol) THEN port END AS port,
    packets, bytes, attackers, forged, length_min, length_max, ttl_min, ttl_max, country, as_number
    FROM (SELECT * REPLACE (ip_of4(victim) AS victim), 4::UTINYINT AS version FROM whole_victim_second('rest.victim_second4')
        UNION ALL SELECT * REPLACE (ip_of6(victim) AS victim), 6::UTINYINT AS version FROM whole_victim_second('rest.victim_second6'));
-- Contributions of segments: sum packets; tuples of one hour are a lower bound until their sets are united.
CREATE VIEW source_evidence AS SELECT day, sensor, moment_of_second(hour::BIGINT * 3600) AS hour, source, version,
    protocol_name(protocol) AS protocol, rule_name(rule) AS rule, packets, tuples, sport_min,
    coalesce(sport_max, sport_min) AS sport_max, ttl_min, coalesce(ttl_max, ttl_min) AS ttl_max
    FROM (SELECT * REPLACE (ip_of4(source) AS source), 4::UTINYINT AS version FROM rest.source_evidence4
        UNION ALL SELECT * REPLACE (ip_of6(source) AS source), 6::UTINYINT AS version FROM rest.source_evidence6);

-- What the ledger says.
CREATE VIEW part AS SELECT id, table_name, day, sensor, path, rows, bytes, moment_of_minute(from_minute) AS "from",
    moment_of_minute(to_minute) AS "to" FROM rest.parts;
CREATE VIEW segment AS SELECT id, segment, sensor, path, packets, bytes, uncompressed,
    CASE WHEN packets > 0 THEN moment_of_ns(from_ns) END AS "from", CASE WHEN packets > 0 THEN moment_of_ns(to_ns) END AS "to",
    options, state, reason, simulated = 1 AS simulated FROM rest.segments;
CREATE VIEW "window" AS SELECT sensor, moment_of_minute(minute) AS minute, revision, flows, packets, attempts, victim_seconds,
    flow_payloads, flow_digest, victim_digest, payload_digest FROM rest.windows;
CREATE VIEW sensor AS SELECT sensor, nullif(addresses, 0) AS addresses FROM rest.sensors;
CREATE VIEW coverage AS SELECT sensor, moment_of_ns(from_ns) AS "from", moment_of_ns(to_ns) AS "to",
    (to_ns - from_ns + 1) / 1e9 AS seconds, nullif(addresses, 0) AS addresses, mode, dropped FROM rest.coverage;
-- By how much a sensor answers; NULL: now so, now so.
CREATE MACRO mode_rank(m) AS CASE m WHEN 'silent' THEN 0 WHEN 'host-answers' THEN 1 WHEN 'syn-ack' THEN 2 END;
-- How a sensor answered in all but a hundredth of what was observed, else 'mixed': an aggregate over times with their mode.
CREATE MACRO usual_mode(mode, observed) AS CASE WHEN max(observed) >= 0.99 * sum(observed) THEN arg_max(mode, observed) ELSE 'mixed' END;
-- Ranges cut at multiples of a step (ns): what was observed within each, shifted by whole hours east of UTC.
CREATE MACRO coverage_by(step, hours) AS TABLE
    SELECT sensor, unit, sum(ns)::BIGINT AS observed_ns, max(addresses) AS addresses, sum(days) AS address_days,
        usual_mode(mode, ns) AS mode, bool_and(known) AS known
    FROM (SELECT sensor, unit, mode, sum(to_ns - from_ns + 1) AS ns, max(addresses) AS addresses,
            sum(addresses * ((to_ns - from_ns + 1) / 86400e9)) AS days, bool_and(addresses IS NOT NULL) AS known
        FROM (SELECT sensor, addresses, mode, unit, greatest(f, unit * step) AS from_ns, least(t, unit * step + step - 1) AS to_ns
            FROM (SELECT *, unnest(range(floor(f / step)::BIGINT, floor(t / step)::BIGINT + 1)) AS unit
                FROM (SELECT sensor, nullif(addresses, 0) AS addresses, mode, from_ns + hours * 3600000000000 AS f,
                        to_ns + hours * 3600000000000 AS t FROM rest.coverage)))
        GROUP BY sensor, unit, mode)
    GROUP BY sensor, unit;
CREATE VIEW coverage_minute AS SELECT sensor, moment_of_minute(unit) AS minute, observed_ns, addresses, mode
    FROM coverage_by(60000000000, 0);
CREATE VIEW coverage_day AS SELECT moment_of_second(unit * 86400)::DATE AS day, sensor, observed_ns / 1e9 AS seconds, addresses,
    address_days, mode FROM coverage_by(86400000000000, 0);
-- Divisors of yearly rates, by sensor: of those of one mode in all years, that which answers least; of others NULL.
CREATE MACRO address_years(hours, only_sensor) AS TABLE
    SELECT year, sensor, CASE WHEN rank = min(rank) FILTER (days > 0) OVER () THEN days END AS address_days
    FROM (SELECT year, sensor, sum(days) AS days, mode_rank(usual_mode(mode, days)) AS rank
        FROM (SELECT year(moment_of_second(unit * 86400)) AS year, sensor, mode, sum(address_days) AS days
            FROM coverage_by(86400000000000, hours) WHERE only_sensor IS NULL OR sensor = only_sensor GROUP BY ALL)
        GROUP BY year, sensor);

-- Rollups: sums over flow, by sensor. Those of class and port lie at rest, as sums over each part, and for days that are
-- over once more as sums of a month.
CREATE VIEW class_hour AS SELECT day, sensor, hour, protocol, class, band, packets, coalesce(accesses, packets) AS accesses,
    coalesce(attempts, packets) AS attempts, bytes, flows
    FROM (FROM rest.class_edge UNION ALL BY NAME
        SELECT * REPLACE (DATE '1970-01-01' + floor(hour / 24)::INTEGER AS day) FROM rest.class_month);
CREATE VIEW port_day AS SELECT day, sensor, protocol, port, class, packets, coalesce(accesses, packets) AS accesses,
    coalesce(attempts, packets) AS attempts, bytes, flows FROM rest.port_day;
-- The months that a query takes whole, by their first day, and the days beside them.
CREATE VIEW rest.port_span AS SELECT day, sensor, protocol, port, class, packets, coalesce(accesses, packets) AS accesses
    FROM (FROM rest.port_edge UNION ALL BY NAME FROM rest.port_month);
-- Packets of classes whose packets are probes (scan, payload, p2p), when tools are named.
CREATE MACRO probes(class, packets) AS CASE WHEN class IN (3, 4, 5) THEN packets ELSE 0 END;
-- Of each source and day; one row a sensor.
CREATE MACRO sums_of_sources(rows) AS TABLE SELECT day, sensor, source, sum(packets)::UBIGINT AS packets,
    sum(accesses)::UBIGINT AS accesses, sum(attempts)::UBIGINT AS attempts, sum(bytes)::UBIGINT AS bytes,
    min(minute::BIGINT * 60 + first) AS first, max(minute::BIGINT * 60 + last) AS last, bit_or(1::UTINYINT << class) AS classes,
    min(country) AS country, min(as_number) AS as_number,
    coalesce(sum(probes(class, packets)) FILTER (protocol = 6), 0)::UBIGINT AS probes_tcp,
    coalesce(sum(probes(class, packets)) FILTER (protocol = 17), 0)::UBIGINT AS probes_udp,
    coalesce(sum(probes(class, packets)) FILTER (protocol IN (1, 58)), 0)::UBIGINT AS probes_icmp,
    coalesce(sum(probes(class, packets)) FILTER (protocol NOT IN (1, 6, 17, 58)), 0)::UBIGINT AS probes_other
    FROM whole_flow(rows) GROUP BY day, sensor, source;
CREATE MACRO days_of_sources(edge, months) AS TABLE FROM sums_of_sources(edge) UNION ALL BY NAME
    SELECT sensor, source, packets, coalesce(accesses, packets) AS accesses, coalesce(attempts, packets) AS attempts, bytes, first,
        coalesce(last, first) AS last, classes, country, as_number, coalesce(probes_tcp, packets) AS probes_tcp, probes_udp,
        probes_icmp, probes_other, on_day AS day FROM query_table(months);
CREATE VIEW rest.source_day4 AS FROM days_of_sources('rest.flow_edge4', 'rest.source_month4');
CREATE VIEW rest.source_day6 AS FROM days_of_sources('rest.flow_edge6', 'rest.source_month6');
-- The first month that begins in a span; a span takes the months from it to that of its end whole.
CREATE MACRO first_month(since) AS date_trunc('month', since + INTERVAL 1 MONTH - INTERVAL 1 DAY)::DATE;
-- Of IPv4 the sources of a span of days (its end, a moment, not included): lists of an origin's of whole months, and source by
-- source those of days beside them. For functions of lists.h.
CREATE VIEW rest.source_besides4 AS FROM days_of_sources('rest.flow_edge4', 'rest.source_edge4');
CREATE MACRO listed_sources(since, until, only_sensor) AS TABLE
    SELECT sensor, net, country, as_number, packets, accesses, list, source, accesses > 0 AS asked
    FROM (SELECT sensor, net, country, as_number, packets, coalesce(accesses, packets) AS accesses, sources AS list,
            NULL::UINTEGER AS source
        FROM rest.origin_month4 WHERE day >= first_month(since) AND day < date_trunc('month', until)
        UNION ALL SELECT sensor, (source >> 24)::UTINYINT, country, as_number, packets, accesses, NULL, source
        FROM rest.source_besides4 WHERE day >= first_month(since) AND day < date_trunc('month', until)
        UNION ALL SELECT sensor, (source >> 24)::UTINYINT, country, as_number, packets, accesses, NULL, source
        FROM rest.source_day4 WHERE day BETWEEN since::DATE AND (until - INTERVAL 1 SECOND)::DATE
            AND (day < first_month(since) OR day >= date_trunc('month', until)))
    WHERE only_sensor IS NULL OR sensor = only_sensor;
-- Days that a query names, as such a span; NULL: the first or last there may be.
CREATE MACRO span_begin("from") AS coalesce("from"::DATE, DATE '1000-01-01')::TIMESTAMP;
CREATE MACRO span_end("to") AS coalesce("to"::DATE, DATE '9999-12-31')::TIMESTAMP + INTERVAL 1 DAY;
-- By AS number, or by country as a number of its two letters: a source is counted once, whatever the days and sensors.
CREATE MACRO origin_number(by_as, country, as_number) AS
    CASE WHEN by_as THEN as_number ELSE (ascii(country) * 256 + ascii(country[2]))::UINTEGER END;
CREATE MACRO origin_letters(n) AS chr((n // 256)::INTEGER) || chr((n % 256)::INTEGER);
CREATE MACRO rows_of_origins6(by_as, since, until, only_sensor) AS TABLE
    SELECT origin_number(by_as, country, as_number) AS origin, source, accesses, packets FROM rest.source_day6
    WHERE day BETWEEN since::DATE AND (until - INTERVAL 1 SECOND)::DATE AND (only_sensor IS NULL OR sensor = only_sensor);
CREATE MACRO origins_within(by_as, since, until, only_sensor, most) AS TABLE
    SELECT origin, sum(accesses)::UBIGINT AS accesses, sum(accesses) / nullif(sum(sum(accesses)) OVER (), 0) AS share,
        sum(packets)::UBIGINT AS packets, sum(sources)::UBIGINT AS sources
    FROM (SELECT origin_number(by_as, country, as_number) AS origin, net, sum(accesses) AS accesses, sum(packets) AS packets,
            count_sources(list, source, packets, asked) AS sources
        FROM listed_sources(since, until, only_sensor) GROUP BY ALL
        UNION ALL SELECT origin, NULL, sum(accesses), sum(packets), count(DISTINCT source)
        FROM rows_of_origins6(by_as, since, until, only_sensor) GROUP BY origin)
    GROUP BY origin
    ORDER BY accesses DESC, packets DESC, origin
    LIMIT most;
CREATE MACRO origins(by_as, "from", "to", of_sensor, most) AS TABLE
    FROM origins_within(by_as, span_begin("from"), span_end("to"), of_sensor::VARCHAR, most::BIGINT);
-- The sources with most packets, and all that have as many as the last of them: numbers and sums alone. Sources of one first
-- byte are ranked together, which leaves few.
CREATE MACRO loudest4(since, until, only_sensor, only_country, only_as, most) AS TABLE
    WITH ranks AS MATERIALIZED (
        SELECT unnest(ranked, recursive := true)
        FROM (SELECT loudest_sources(list, source, packets, asked, most) AS ranked FROM listed_sources(since, until, only_sensor)
            WHERE (only_country IS NULL OR country = only_country) AND (only_as IS NULL OR as_number = only_as) GROUP BY net))
    SELECT source, packets FROM ranks WHERE packets >= (SELECT min(packets) FROM (SELECT packets FROM ranks ORDER BY packets DESC LIMIT most));
CREATE MACRO loudest6(since, until, only_sensor, only_country, only_as, most) AS TABLE
    WITH sums AS MATERIALIZED (SELECT source, sum(packets)::UBIGINT AS packets FROM rest.source_day6
        WHERE day BETWEEN since::DATE AND (until - INTERVAL 1 SECOND)::DATE AND (only_sensor IS NULL OR sensor = only_sensor)
            AND (only_country IS NULL OR country = only_country) AND (only_as IS NULL OR as_number = only_as)
        GROUP BY source)
    SELECT source, packets FROM sums WHERE packets >= (SELECT min(packets) FROM (SELECT packets FROM sums ORDER BY packets DESC LIMIT most));
CREATE VIEW source_day AS SELECT day, sensor, source, version, packets, accesses, attempts, bytes, moment_of_second(first) AS first,
    moment_of_second(last) AS last, classes, probes_tcp, probes_udp, probes_icmp, probes_other, country, as_number
    FROM (SELECT * REPLACE (ip_of4(source) AS source), 4::UTINYINT AS version FROM rest.source_day4
        UNION ALL SELECT * REPLACE (ip_of6(source) AS source), 6::UTINYINT AS version FROM rest.source_day6);

-- Evidence as the function tool() wants it.
CREATE MACRO mark_of(hour, protocol, rule, packets, sport_min, sport_max, ttl_min, ttl_max, tuple_set, registers, keys) AS
    {hour: hour, protocol: protocol, rule: rule, packets: packets, sport_min: sport_min, sport_max: coalesce(sport_max, sport_min),
    ttl_min: ttl_min, ttl_max: coalesce(ttl_max, ttl_min), tuple_set: tuple_set, registers: registers, keys: keys};
CREATE VIEW rest.marks4 AS SELECT source, day, sensor, mark_of(hour, protocol, rule, packets, sport_min, sport_max, ttl_min, ttl_max,
    tuple_set, registers, keys) AS mark FROM rest.source_evidence4;
CREATE VIEW rest.marks6 AS SELECT source, day, sensor, mark_of(hour, protocol, rule, packets, sport_min, sport_max, ttl_min, ttl_max,
    tuple_set, registers, keys) AS mark FROM rest.source_evidence6;

-- For spans between two moments (TIMESTAMP, the second not included), of one sensor or all (NULL).
CREATE MACRO flow_within(rows, since, until, only_sensor) AS TABLE SELECT * FROM query_table(rows)
    WHERE day BETWEEN since::DATE AND until::DATE AND minute >= epoch(since) / 60 AND minute < epoch(until) / 60
        AND (only_sensor IS NULL OR sensor = only_sensor);
CREATE MACRO flow4_within(since, until, only_sensor) AS TABLE FROM flow_within('flow4', since, until, only_sensor);
CREATE MACRO flow6_within(since, until, only_sensor) AS TABLE FROM flow_within('flow6', since, until, only_sensor);
-- Replies of victims; of one alone where an address is given.
CREATE MACRO replies_of(rows, since, until, only_sensor, only_victim) AS TABLE SELECT * FROM whole_victim_second(rows)
    WHERE day BETWEEN since::DATE AND until::DATE AND second >= epoch(since) AND second < epoch(until)
        AND (only_sensor IS NULL OR sensor = only_sensor) AND (only_victim IS NULL OR victim = only_victim);
CREATE MACRO replies_within(since, until, only_sensor, address) AS TABLE
    SELECT * EXCLUDE (victim, sample), ip_of4(victim) AS victim
        FROM replies_of('rest.victim_second4', since, until, only_sensor, ip4(address)) WHERE address IS NULL OR ip4(address) IS NOT NULL
    UNION ALL SELECT * EXCLUDE (victim, sample), ip_of6(victim) AS victim
        FROM replies_of('rest.victim_second6', since, until, only_sensor, ip6(address)) WHERE address IS NULL OR ip6(address) IS NOT NULL;
-- Of them what asks for something: of one protocol, one port, or all (NULL).
CREATE MACRO asks(rows, since, until, only_sensor, only_protocol, only_port) AS TABLE
    SELECT * FROM flow_within(rows, since, until, only_sensor) WHERE accesses > 0
        AND (only_protocol IS NULL OR protocol = only_protocol) AND (only_port IS NULL OR (port = only_port AND has_port(protocol)));
CREATE MACRO asks4(since, until, only_sensor, only_protocol, only_port) AS TABLE
    FROM asks('flow4', since, until, only_sensor, only_protocol, only_port);
CREATE MACRO asks6(since, until, only_sensor, only_protocol, only_port) AS TABLE
    FROM asks('flow6', since, until, only_sensor, only_protocol, only_port);
CREATE MACRO protocol_number(name) AS CASE name WHEN 'icmp' THEN 1 WHEN 'tcp' THEN 6 WHEN 'udp' THEN 17 WHEN 'icmpv6' THEN 58
    WHEN 'sctp' THEN 132 END;
-- The same of whole days: sums of ports, of whole months where there are some; of sources and days.
CREATE MACRO ports_within(since, until, only_sensor) AS TABLE
    SELECT sensor, protocol, port, coalesce(accesses, packets) AS accesses
    FROM (FROM rest.port_month WHERE day >= first_month(since) AND day < date_trunc('month', until)
        UNION ALL BY NAME FROM rest.port_edge WHERE day >= first_month(since) AND day < date_trunc('month', until)
        UNION ALL BY NAME FROM rest.port_day WHERE day >= since::DATE AND day <= (until - INTERVAL 1 SECOND)::DATE
            AND (day < first_month(since) OR day >= date_trunc('month', until)))
    WHERE only_sensor IS NULL OR sensor = only_sensor;
CREATE MACRO sources_within(days, since, until, only_sensor) AS TABLE SELECT * FROM query_table(days)
    WHERE day BETWEEN since::DATE AND (until - INTERVAL 1 SECOND)::DATE AND (only_sensor IS NULL OR sensor = only_sensor);
-- What was observed, by sensor and step (of so many seconds since 1970); sensors whose number of addresses is known.
CREATE MACRO coverage_within(since, until, step, only_sensor) AS TABLE
    SELECT sensor, unit, sum(to_ns - from_ns + 1)::BIGINT AS observed_ns,
        sum(addresses * ((to_ns - from_ns + 1) / 86400e9)) AS address_days
    FROM (SELECT sensor, addresses, unit, greatest(f, unit * step * 1000000000) AS from_ns,
            least(t, (unit + 1) * step * 1000000000 - 1) AS to_ns
        FROM (SELECT *, unnest(range(f // (step * 1000000000), t // (step * 1000000000) + 1)) AS unit
            FROM (SELECT sensor, nullif(addresses, 0) AS addresses, greatest(from_ns, epoch_ns(since)) AS f,
                    least(to_ns, epoch_ns(until) - 1) AS t
                FROM rest.coverage WHERE to_ns >= epoch_ns(since) AND from_ns < epoch_ns(until)
                    AND (only_sensor IS NULL OR sensor = only_sensor))))
    GROUP BY sensor, unit;
-- How sensors answered over a span; whether N is known.
CREATE MACRO modes_within(since, until, only_sensor) AS TABLE
    SELECT sensor, usual_mode(mode, ns) AS mode, bool_and(known) AS known
    FROM (SELECT sensor, mode, sum((least(to_ns, epoch_ns(until) - 1) - greatest(from_ns, epoch_ns(since)) + 1)::DOUBLE) AS ns,
            bool_and(coalesce(addresses, 0) > 0) AS known
        FROM rest.coverage WHERE to_ns >= epoch_ns(since) AND from_ns < epoch_ns(until)
            AND (only_sensor IS NULL OR sensor = only_sensor) GROUP BY ALL)
    GROUP BY sensor;
-- Whom the rates of a span are told of: sensors of known N, all of one mode: that which answers least.
CREATE MACRO counted_within(since, until, only_sensor) AS TABLE
    SELECT sensor FROM (SELECT sensor, mode_rank(mode) AS rank, min(mode_rank(mode)) OVER () AS least
        FROM modes_within(since, until, only_sensor) WHERE known) WHERE rank = least;
-- The divisor of a span's rates.
CREATE MACRO address_days_within(since, until, only_sensor) AS (SELECT nullif(sum(address_days), 0)
    FROM coverage_within(since, until, 4000000000, only_sensor) WHERE sensor IN (FROM counted_within(since, until, only_sensor)));
CREATE MACRO step_seconds(step) AS CASE step WHEN 'minute' THEN 60 WHEN '10min' THEN 600 WHEN 'hour' THEN 3600
    WHEN 'day' THEN 86400 ELSE 4000000000 END;
-- The tool of each source and UTC day, by its evidence at all sensors.
CREATE MACRO tools_of_days(marks, days) AS TABLE
    SELECT source, day, tool_of_day(mark, tcp, udp, icmp, other) AS tool, sum(packets) AS packets
    FROM (SELECT source, day, mark, 0::UBIGINT AS packets, 0::UBIGINT AS tcp, 0::UBIGINT AS udp, 0::UBIGINT AS icmp,
            0::UBIGINT AS other FROM query_table(marks)
        UNION ALL SELECT source, day, NULL, packets, probes_tcp, probes_udp, probes_icmp, probes_other FROM query_table(days))
    GROUP BY source, day HAVING bool_or(mark IS NULL);
-- Of each source with one on days between two moments; of several days that with most packets.
CREATE MACRO tools_within(marks, days, since, until) AS TABLE SELECT source, arg_max(tool, (packets, tool)) AS tool
    FROM tools_of_days(marks, days) WHERE day BETWEEN since::DATE AND until::DATE AND tool <> 'unknown' GROUP BY source;
-- The same for a list of sources, by the last 31 of these days.
CREATE MACRO tools_of(marks, rows, since, until, sources) AS TABLE SELECT source, arg_max(tool, (packets, tool)) AS tool
    FROM (SELECT source, day, any_value(packets) AS packets,
            tool(list(mark), any_value(tcp), any_value(udp), any_value(icmp), any_value(other)) AS tool
        FROM query_table(marks) JOIN (SELECT source, day, sum(packets) AS packets,
                coalesce(sum(probes(class, packets)) FILTER (protocol = 6), 0)::UBIGINT AS tcp,
                coalesce(sum(probes(class, packets)) FILTER (protocol = 17), 0)::UBIGINT AS udp,
                coalesce(sum(probes(class, packets)) FILTER (protocol IN (1, 58)), 0)::UBIGINT AS icmp,
                coalesce(sum(probes(class, packets)) FILTER (protocol NOT IN (1, 6, 17, 58)), 0)::UBIGINT AS other
            FROM query_table(rows) WHERE day BETWEEN greatest(since, until - INTERVAL 31 DAY)::DATE AND until::DATE
                AND source IN (SELECT unnest(sources)) GROUP BY source, day) USING (source, day)
        WHERE day BETWEEN greatest(since, until - INTERVAL 31 DAY)::DATE AND until::DATE AND source IN (SELECT unnest(sources))
        GROUP BY source, day)
    WHERE tool <> 'unknown' GROUP BY source;

-- What sources sent: of one protocol, one port, or all (NULL). `unit` says whether the span is of whole days ('day'), whose sums
-- are read then where they tell it.
CREATE MACRO sent(rows, days, since, until, only_sensor, only_protocol, only_port, unit) AS TABLE
    SELECT sensor, source, country, as_number, packets, accesses, minute::BIGINT * 60 + first AS first,
        minute::BIGINT * 60 + last AS last
    FROM flow_within(rows, since, until, only_sensor)
    WHERE (unit <> 'day' OR only_port IS NOT NULL OR only_protocol IS NOT NULL)
        AND (only_protocol IS NULL OR protocol = only_protocol) AND (only_port IS NULL OR (port = only_port AND has_port(protocol)))
    UNION ALL SELECT sensor, source, country, as_number, packets, accesses, first, last
    FROM sources_within(days, since, until, only_sensor)
    WHERE unit = 'day' AND only_port IS NULL AND only_protocol IS NULL;
-- Who sent by what was asked: each source's packets and tool. That of one port's senders is looked for among them alone.
CREATE MACRO senders_named(rows, days, marks, since, until, only_sensor, only_protocol, only_port, unit) AS TABLE
    WITH senders AS MATERIALIZED (
        SELECT source, sum(packets) AS packets FROM sent(rows, days, since, until, only_sensor, only_protocol, only_port, unit) GROUP BY source
    ), tools AS (
        FROM tools_within(marks, days, since, until) WHERE only_port IS NULL
        UNION ALL FROM tools_of(marks, rows, since, until, (SELECT list(source) FROM senders)) WHERE only_port IS NOT NULL
    )
    SELECT packets, coalesce(tool, 'unknown') AS tool FROM senders LEFT JOIN tools USING (source);
-- The `most` that sent most packets; ports are told for spans of 31 days at most.
CREATE MACRO sources_ranked(rows, days, marks, since, until, only_sensor, only_protocol, only_port, unit, only_country, only_as,
    only_tool, most) AS TABLE
    WITH loudest AS MATERIALIZED (
        SELECT source, sum(packets) AS packets FROM sent(rows, days, since, until, only_sensor, only_protocol, only_port, unit)
        WHERE (only_country IS NULL OR country = only_country) AND (only_as IS NULL OR as_number = only_as)
        GROUP BY source
        HAVING only_tool IS NULL
            OR source IN (SELECT source FROM tools_within(marks, days, since, until) WHERE only_tool IS NOT NULL AND tool = only_tool)
            OR (only_tool = 'unknown'
                AND source NOT IN (SELECT source FROM tools_within(marks, days, since, until) WHERE only_tool = 'unknown'))
        ORDER BY packets DESC, source LIMIT most
    ), tools AS (
        FROM tools_of(marks, rows, since, until, (SELECT list(source) FROM loudest))
    ), more AS (
        SELECT source, sum(accesses) AS accesses, min(first) AS first, max(last) AS last, count(DISTINCT sensor) AS sensors,
            min(country) AS country, min(as_number) AS as_number
        FROM sent(rows, days, since, until, only_sensor, only_protocol, only_port, unit)
        WHERE source IN (SELECT source FROM loudest) GROUP BY source
    ), ports AS (
        SELECT source, count(DISTINCT protocol::UINTEGER << 16 | port) AS ports FROM flow_within(rows, since, until, only_sensor)
        WHERE has_port(protocol) AND source IN (SELECT source FROM loudest) AND until - since <= INTERVAL 31 DAY
        GROUP BY source
    )
    SELECT * FROM loudest JOIN more USING (source) LEFT JOIN ports USING (source) LEFT JOIN tools USING (source);

-- Ports and origins by what was asked, beside the span before: `unit` says whether spans are of whole days ('day'), whose sums
-- are read then. Whether a sensor's addresses are counted is looked up once a port, not once a row.
CREATE MACRO ports_asked(since, until, only_sensor, unit) AS TABLE
    SELECT protocol, port, sum(accesses) AS accesses, sum(accesses) FILTER (sensor IN (FROM counted_within(since, until, only_sensor))) AS counted
    FROM (SELECT sensor, protocol, port, sum(accesses) AS accesses
            FROM flow4_within(since, until, only_sensor) WHERE unit <> 'day' AND accesses > 0 GROUP BY ALL
        UNION ALL SELECT sensor, protocol, port, sum(accesses)
            FROM flow6_within(since, until, only_sensor) WHERE unit <> 'day' AND accesses > 0 GROUP BY ALL
        UNION ALL SELECT sensor, protocol, port, sum(accesses)
            FROM ports_within(since, until, only_sensor) WHERE unit = 'day' AND accesses > 0 GROUP BY ALL)
    GROUP BY ALL;
CREATE MACRO ranked_ports(since, until, before, only_sensor, unit) AS TABLE
    SELECT *, CASE WHEN accesses > 0 THEN
            row_number() OVER (ORDER BY port IS NULL, accesses DESC NULLS LAST, protocol, port) END AS rank,
        CASE WHEN before_accesses > 0 THEN
            row_number() OVER (ORDER BY port IS NULL, before_accesses DESC NULLS LAST, protocol, port) END AS before_rank,
        accesses / sum(accesses) OVER () AS share
    FROM (SELECT protocol, CASE WHEN has_port(protocol) THEN port END AS port, sum(accesses) FILTER (now)::UBIGINT AS accesses,
            sum(counted) FILTER (now) AS counted, sum(accesses) FILTER (NOT now) AS before_accesses,
            sum(counted) FILTER (NOT now) AS before_counted
        FROM (SELECT true AS now, * FROM ports_asked(since, until, only_sensor, unit)
            UNION ALL SELECT false, * FROM ports_asked(before, since, only_sensor, unit))
        GROUP BY ALL);
CREATE MACRO origins_asked_of(rows, days, since, until, only_sensor, only_protocol, only_port, unit) AS TABLE
    SELECT sensor, source, country, as_number, accesses FROM asks(rows, since, until, only_sensor, only_protocol, only_port)
    WHERE unit <> 'day' OR only_port IS NOT NULL OR only_protocol IS NOT NULL
    UNION ALL SELECT sensor, source, country, as_number, accesses FROM sources_within(days, since, until, only_sensor)
    WHERE unit = 'day' AND only_port IS NULL AND only_protocol IS NULL AND accesses > 0;
CREATE MACRO origins_listed(by_as, since, until, only_sensor, only_protocol, only_port, unit) AS TABLE
    SELECT CASE WHEN by_as THEN as_number END AS as_number, country, net, sum(accesses) AS accesses,
        sum(accesses) FILTER (sensor IN (FROM counted_within(since, until, only_sensor))) AS counted, count_asking(list, source, packets, asked) AS sources
    FROM listed_sources(since, until, only_sensor) WHERE unit = 'day' AND only_port IS NULL AND only_protocol IS NULL GROUP BY ALL;
CREATE MACRO origins_asked(by_as, since, until, only_sensor, only_protocol, only_port, unit) AS TABLE
    SELECT as_number, country, sum(accesses) AS accesses, sum(counted) AS counted, sum(sources) AS sources
    FROM origins_listed(by_as, since, until, only_sensor, only_protocol, only_port, unit) GROUP BY ALL
    UNION ALL SELECT CASE WHEN by_as THEN as_number END, country, sum(accesses),
        sum(accesses) FILTER (sensor IN (FROM counted_within(since, until, only_sensor))), count(DISTINCT source)
    FROM asks('flow4', since, until, only_sensor, only_protocol, only_port)
    WHERE unit <> 'day' OR only_port IS NOT NULL OR only_protocol IS NOT NULL GROUP BY ALL
    UNION ALL SELECT CASE WHEN by_as THEN as_number END, country, sum(accesses),
        sum(accesses) FILTER (sensor IN (FROM counted_within(since, until, only_sensor))), count(DISTINCT source)
    FROM origins_asked_of('flow6', 'rest.source_day6', since, until, only_sensor, only_protocol, only_port, unit) GROUP BY ALL;
-- Attacks as they came to in the end: each day has a row of those that had packets on it.
CREATE MACRO verdict_name(v) AS ['attack', 'scan', 'reflection', 'undecided'][v + 1];
-- 95 % of a count (Garwood's interval, by the approximation of Wilson and Hilferty).
CREATE MACRO poisson_low(n) AS CASE WHEN n > 0 THEN greatest(0, n * pow(1 - 1 / (9.0 * n) - 1.959964 / (3 * sqrt(n)), 3)) ELSE 0 END;
CREATE MACRO poisson_high(n) AS (n + 1) * pow(1 - 1 / (9.0 * (n + 1)) + 1.959964 / (3 * sqrt(n + 1)), 3);
-- How many of 65536 hashes n packets to N addresses drawn at random come to.
CREATE MACRO hashes_met(addresses, n) AS (1 - pow(1 - (1.0 / addresses + 1 / 65536.0), n)) / (1.0 / addresses + 1 / 65536.0);
CREATE VIEW rest.attack_last AS SELECT unnest(a) FROM (SELECT arg_max(a, last) AS a FROM rest.attack AS a GROUP BY victim, first);
CREATE VIEW rest.attack_sized AS SELECT *, appearances / sampled AS factor, forged * sampled / appearances AS distinct_forged,
        CASE WHEN addresses > 0 AND ip_of6(victim) NOT LIKE '%:%' THEN 4294967296.0 / addresses END AS scale,
        forged * sampled / appearances / (1 + CASE WHEN forged > appearances THEN forged / appearances
            * greatest(0, (appearances / sampled - 1) * (6 - appearances / sampled)) / pow(appearances / sampled, 2) ELSE 0 END) AS counted,
        lag(last) OVER (PARTITION BY victim ORDER BY first) AS before
    FROM rest.attack_last;
CREATE VIEW rest.attack_told AS SELECT ip_of6(victim) AS victim, moment_of_second(first) AS first, moment_of_second(last) AS last,
        verdict_name(verdict) AS verdict, reply_name(kind) AS kind, protocol_name(protocol) AS protocol,
        CASE WHEN has_port(protocol) THEN port END AS port, attacked AS ports, vectors, packets, bytes,
        distinct_forged, factor, distinct_forged * scale / (last - first + 1) AS rate,
        distinct_forged * poisson_low(counted) / counted * scale / (last - first + 1) AS rate_low,
        distinct_forged * poisson_high(counted) / counted * scale / (last - first + 1) AS rate_high,
        peak, moment_of_minute(peak_minute) AS peak_minute, peak_forged / factor / 60 * scale AS peak_rate,
        nullif(addresses, 0) AS addresses, addresses_seen, ports_seen,
        CASE WHEN sampled >= 30 AND addresses > 0 THEN addresses_seen / hashes_met(addresses, sampled) END AS uniformity,
        ttl_min, ttl_max, length_min, length_max, country, nullif(as_number, 0) AS as_number,
        as_name(nullif(as_number, 0)) AS as_name, moment_of_second(before) AS before
    FROM rest.attack_sized;
-- Those that went on within a span; of one verdict, country, network, protocol, port, or all (NULL).
CREATE MACRO attacks_within(since, until, only_verdict, only_country, only_as, only_protocol, only_port) AS TABLE
    SELECT * FROM rest.attack_told WHERE first < until AND last >= since AND (only_verdict IS NULL OR verdict = only_verdict)
        AND (only_country IS NULL OR country = only_country) AND (only_as IS NULL OR as_number = only_as)
        AND (only_protocol IS NULL OR protocol = only_protocol) AND (only_port IS NULL OR port = only_port);
-- The rate at which the early mode raises a flood within so many seconds with 95 %: onset_sees of src/detect/onset.c. NULL: never.
CREATE MACRO onset_sees(n, seconds) AS CASE WHEN n >= 17 THEN ceil((8000 + 60000 // n::BIGINT) * 4294967296.0 / (n * seconds * 1000.0)) END;
-- Onsets as they came to: the last row of each. One that was not settled fell silent if two hours after it were observed.
-- Told with the attack that it is the beginning of: that in which it was raised, else the first at this victim meanwhile.
CREATE VIEW rest.onset_last AS SELECT unnest(o) FROM (SELECT arg_max(o, (settled, last)) AS o FROM rest.onset AS o GROUP BY victim, raised);
CREATE VIEW rest.onset_settled AS SELECT * EXCLUDE (outcome, settled),
        CASE WHEN outcome > 0 THEN ['confirmed', 'contradicted'][outcome] WHEN observed > last + 7200 THEN 'silent' ELSE 'under watch' END AS outcome,
        CASE WHEN outcome > 0 THEN settled WHEN observed > last + 7200 THEN last + 7200 END AS settled
    FROM rest.onset_last, (SELECT max(to_ns) // 1000000000 AS observed FROM rest.coverage);
CREATE VIEW rest.onset_told AS SELECT ip_of6(o.victim) AS victim, o.raised, o.first, o.outcome, o.settled, o.packets,
        o.evidence::DOUBLE AS evidence_bits, reply_name(o.kind) AS kind, protocol_name(o.protocol) AS protocol,
        CASE WHEN has_port(o.protocol) THEN o.port END AS port, o.country, nullif(o.as_number, 0) AS as_number,
        as_name(nullif(o.as_number, 0)) AS as_name, nullif(o.addresses, 0) AS addresses,
        min_by(a.first, (o.raised NOT BETWEEN a.first AND a.last, a.first)) AS attack
    FROM rest.onset_settled AS o
    LEFT JOIN rest.attack_last AS a ON a.victim = o.victim AND a.first <= coalesce(o.settled, o.last) AND a.last >= o.first
    GROUP BY ALL;
-- Families of bots as data: the evidence rule that proves one (classify/rules.def), how many bits of a packet it fixes, ports that
-- it is known by, since when there are such, and who says so. docs/decisions/infections.md says why no others are here.
CREATE VIEW rest.families AS SELECT * FROM (VALUES
    ('mirai', 0, 32, [23, 2323]::USMALLINT[], DATE '2016-08-01',
        'mirai/bot/scanner.c (2016): SYN, seq == destination, TTL 64, ports 23 and 2323 about 9 to 1; Antonakakis et al., USENIX Security 2017'),
    ('hajime', 8, 15, [23]::USMALLINT[], DATE '2016-10-01',
        'window 14600, one half of seq zero: of 2^15 such SYNs of others one; Edwards and Profetis 2016; Herwig et al., NDSS 2019')
    ) AS f(family, rule, bits, ports, known, told);
-- Rows of SYNs with such a rule. `syns`: distinct by source port and destination, in their minute.
CREATE MACRO bot_rows(since, until, only_sensor) AS TABLE
    SELECT family, bits, list_contains(ports, port) AS known_port, day, sensor, minute, source, port, attempts AS syns, ttl_min, ttl_max, syn,
        minute::BIGINT * 60 + first AS first, minute::BIGINT * 60 + last AS last, country, as_number
    FROM (FROM flow4_within(since, until, only_sensor) WHERE rules > 0 AND protocol = 6 AND class = 4 AND accesses > 0)
    JOIN rest.families ON rules >> rule & 1 = 1;
-- What k hits of n packets are worth against chance: no more than this, of which each packet hits with 2^-bits.
CREATE MACRO chance_of_hits(n, k, bits) AS exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - bits * k * ln(2));
-- Sources that behave like a bot of a family, each with its grade (DEFINITIONS 7). Rows of floods with forged sources are left
-- out: at least 100 sources of a packet or two to one port of one sensor in a minute, alike in TTL and form.
CREATE MACRO bots_within(since, until, only_sensor) AS TABLE
    WITH marked AS MATERIALIZED (FROM bot_rows(since, until, only_sensor)
    ), floods AS (
        SELECT sensor, minute, port, ttl_min, syn FROM marked WHERE syns <= 2 AND ttl_min = ttl_max
        GROUP BY ALL HAVING count(DISTINCT source) >= 100
    ), kept AS MATERIALIZED (
        SELECT * FROM marked AS m WHERE NOT (syns <= 2 AND ttl_min = ttl_max AND EXISTS (FROM floods AS f WHERE f.sensor = m.sensor
            AND f.minute = m.minute AND f.port = m.port AND f.ttl_min = m.ttl_min AND f.syn = m.syn))
    ), spreads AS (
        SELECT family, source, max(spread) AS ttl_spread
        FROM (SELECT family, source, max(ttl_max) - min(ttl_min) AS spread FROM kept GROUP BY family, source, sensor, day)
        GROUP BY family, source
    ), probed AS (
        SELECT source, sum(attempts) AS probes FROM flow4_within(since, until, only_sensor)
        WHERE protocol = 6 AND accesses > 0 AND source IN (SELECT source FROM kept) GROUP BY source
    ), sums AS (
        SELECT family, any_value(bits) AS bits, source, sum(syns)::UBIGINT AS syns, count(DISTINCT minute) AS minutes,
            count(DISTINCT sensor) AS sensors, list_sort(list(DISTINCT port)) AS ports,
            coalesce(sum(syns) FILTER (known_port), 0)::UBIGINT AS usual,
            min(ttl_min) AS ttl_min, max(ttl_max) AS ttl_max, min(first) AS first, max(last) AS last,
            arg_max(country, minute) AS country, arg_max(as_number, minute) AS as_number,
            list({minute: minute, syns: syns}) AS seen
        FROM kept GROUP BY family, source
    )
    SELECT * EXCLUDE (bits), CASE WHEN syns >= 3 AND ttl_spread <= 3 AND (minutes >= 2 OR sensors >= 2) THEN 'B' ELSE 'C' END AS grade
    FROM sums JOIN spreads USING (family, source) JOIN probed USING (source)
    WHERE CASE WHEN bits >= 32 THEN 2 * syns >= probes OR chance_of_hits(probes, syns, bits) < 1e-9
        ELSE syns >= 2 AND 2 * syns >= probes AND chance_of_hits(probes, syns, bits) < 1e-9 END;
-- Of one family, grade, country, network, or all (NULL).
CREATE MACRO bots_asked(since, until, only_sensor, only_family, only_grade, only_country, only_as) AS TABLE
    SELECT * FROM bots_within(since, until, only_sensor) WHERE (only_family IS NULL OR family = only_family)
        AND (only_grade IS NULL OR grade = only_grade) AND (only_country IS NULL OR country = only_country)
        AND (only_as IS NULL OR as_number = only_as);
-- Counts y at places t (some in -0.5 to 0.5), as Poisson's of exp(a + b·t): the b of the greatest likelihood, by Newton. The sums
-- over places, weighed by exp(b·t), tell the mean of t, which at the greatest likelihood is that of the counts.
CREATE MACRO tilted(ts, b, power) AS list_sum(list_transform(ts, lambda t: pow(t, power) * exp(b * t)));
CREATE MACRO tilted_mean(ts, b) AS tilted(ts, b, 1) / tilted(ts, b, 0);
CREATE MACRO tilted_variance(ts, b) AS tilted(ts, b, 2) / tilted(ts, b, 0) - pow(tilted_mean(ts, b), 2);
CREATE MACRO log_slope(ts, mean) AS list_reduce(list_transform(range(25), lambda i: 0::DOUBLE),
    lambda b, i: b + (mean - tilted_mean(ts, b)) / tilted_variance(ts, b));
-- Student's t for 97.5 % with so many degrees of freedom (Cornish and Fisher's expansion; 1 % too small at 4).
CREATE MACRO student(f) AS 1.959964 + 2.372272 / f + 2.822500 / pow(f, 2) + 2.555850 / pow(f, 3) + 1.589536 / pow(f, 4);
