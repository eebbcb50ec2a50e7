-- Onsets in a span: victims of whom the early mode said, after a handful of packets, that an attack has begun
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param address []: of this victim alone
-- param outcome []: under_watch, confirmed, contradicted or silent alone
-- param country []: victims there alone
-- param as []: victims of this autonomous system alone
-- param protocol []: attacked protocol, as tcp
-- param port []: attacked port
-- param few [no]: yes: those too that 16 monitored addresses or fewer saw, or nobody knows how many
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column victim: who replied to packets it thinks we sent
-- column raised: second at which it was said, since 1970
-- column first: second of the first packet that was looked at
-- column outcome: under watch; confirmed; contradicted (withdrawn: no attack after all); silent (withdrawn: nothing came for two hours)
-- column settled: second at which that was known; NULL: it is under watch
-- column packets: distinct packets when it was settled, else when it was raised
-- column evidence_bits: log2 of how much likelier an attack was than the best of three other causes, then
-- column kind: of reply that raised it: syn_ack, rst, error, reply
-- column protocol: attacked protocol, likewise
-- column port: attacked port, likewise
-- column country: two letters, as of when the row was kept
-- column as_number: number of its autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
-- column addresses: N, monitored addresses then; NULL: not known
-- column attack: first second of the attack that it is the beginning of; NULL: none came of it
FROM rest.onset_told
WHERE raised < epoch($until::TIMESTAMP) AND raised >= epoch($since::TIMESTAMP)
    AND ($address::VARCHAR IS NULL OR victim = $address::VARCHAR)
    AND ($outcome::VARCHAR IS NULL OR outcome = replace($outcome::VARCHAR, '_', ' ')) AND ($few::VARCHAR = 'yes' OR addresses >= 17)
    AND ($country::VARCHAR IS NULL OR country = $country::VARCHAR) AND ($as::UINTEGER IS NULL OR as_number = $as::UINTEGER)
    AND ($protocol::VARCHAR IS NULL OR protocol = $protocol::VARCHAR) AND ($port::USMALLINT IS NULL OR port = $port::USMALLINT)
ORDER BY raised DESC, victim
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
