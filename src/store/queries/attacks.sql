-- Attacks on others in a span, by the replies that they sent here
-- param since: beginning of the span, as 2026-11-24T00:00:00Z
-- param until: its end, not included
-- param verdict []: attack, scan, reflection or undecided alone
-- param country []: victims there alone
-- param as []: victims of this autonomous system alone
-- param protocol []: attacked protocol, as tcp
-- param port []: attacked port
-- param limit [20]: rows at most
-- param offset [0]: rows left out before
-- column victim: who replied to packets it thinks we sent
-- column first: first second
-- column last: last second so far
-- column verdict: attack; scan (it sends SYN+ACKs or RSTs itself); reflection (at us); undecided (never an alert)
-- column kind: of reply that it sent most: syn_ack, rst, error, reply
-- column protocol: attacked protocol, of what was replied for most
-- column port: attacked port, likewise
-- column ports: attacked ports, as far as they are kept
-- column vectors: kinds of reply, protocols and ports told apart, 16 at the most
-- column packets: replies
-- column bytes: sum of their IP lengths
-- column distinct_forged: replies without those that were sent again
-- column factor: how often a reply came
-- column rate: forged packets a second at the victim, if forged at random: distinct × 2^32 / N / seconds; NULL: N or family do not tell
-- column rate_low: 95 % of it lie above (Garwood's interval of a count, widened where only a sample tells the factor)
-- column rate_high: and below
-- column peak: most replies within a minute
-- column peak_minute: that minute
-- column peak_rate: the rate in the minute with most distinct forged packets
-- column addresses: N, monitored addresses then; NULL: not known
-- column addresses_seen: distinct hashes of monitored addresses among at most 64 sampled packets
-- column ports_seen: distinct forged ports among them
-- column uniformity: addresses_seen by what forging at random comes to; NULL: fewer than 30 packets
-- column ttl_min: least TTL of the replies
-- column ttl_max: greatest
-- column length_min: least IP length
-- column length_max: greatest
-- column country: two letters, as of when the first row was kept
-- column as_number: number of its autonomous system, likewise
-- column as_name: its organisation; NULL: unknown
-- column before: when the attack before it at this victim ended; NULL: none is known
FROM rest.attack_told
WHERE first < $until::TIMESTAMP AND last >= $since::TIMESTAMP AND ($verdict::VARCHAR IS NULL OR verdict = $verdict::VARCHAR)
    AND ($country::VARCHAR IS NULL OR country = $country::VARCHAR) AND ($as::UINTEGER IS NULL OR as_number = $as::UINTEGER)
    AND ($protocol::VARCHAR IS NULL OR protocol = $protocol::VARCHAR) AND ($port::USMALLINT IS NULL OR port = $port::USMALLINT)
ORDER BY first DESC, victim
LIMIT $limit::BIGINT OFFSET $offset::BIGINT
