-- Families of bots that are told apart, and what proves one: data, of which each row has its source
-- column family: its name
-- column rule: evidence rule that its SYNs match
-- column bits: of a packet that the rule fixes: another's matches by chance with 2^-bits
-- column ports: ports that it is known by
-- column since: since when there are such
-- column source: who says so
SELECT family, rule_name(rule) AS rule, bits, ports, known AS since, told AS source FROM rest.families ORDER BY known, family
