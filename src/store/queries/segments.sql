-- Captures in the ledger
-- param from []: moment that they reach at the least, as 2026-11-24 or with a time
-- param to []: moment that they begin before
-- param sensor []: of this sensor alone
-- column segment: its name: XXH3-128 of its uncompressed bytes
-- column sensor: name of the sensor
-- column from: its least timestamp
-- column to: its greatest
-- column packets: packets in it
-- column bytes: as sent, link headers included
-- column state: stored, or refused
-- column simulated: its packets are made up
-- column path: where it was read
-- column reason: why it was refused
SELECT segment, sensor, "from", "to", packets, bytes, state, simulated, path, reason
FROM segment
WHERE ($from::TIMESTAMP IS NULL OR "to" >= $from::TIMESTAMP) AND ($to::TIMESTAMP IS NULL OR "from" < $to::TIMESTAMP)
    AND ($sensor::VARCHAR IS NULL OR sensor = $sensor::VARCHAR)
ORDER BY "from", segment
