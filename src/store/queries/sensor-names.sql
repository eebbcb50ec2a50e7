-- Sensors that have sent anything
-- column sensor: its name
-- column addresses: monitored addresses as it last told; NULL: it did not
SELECT sensor, nullif(addresses, 0) AS addresses FROM rest.sensors ORDER BY sensor
