// How many records each source has in each state, and its newest times, kept in the transactions that change the records.
// Two nodes a source, so that appending (`journal`) and settling (`claims`) do not wait for each other: a count is their
// sum. Filled once, by whoever is first; the others wait for its locks and find it done.
CREATE CONSTRAINT tally_key IF NOT EXISTS FOR (t:Tally) REQUIRE (t.source, t.by) IS UNIQUE;

MATCH (c:Counter) WHERE c.name IN ['journal', 'claims'] SET c.turn = coalesce(c.turn, 0) + 1
WITH collect(c) AS held
MATCH (c:Counter {name: 'journal'}) WHERE c.tallied IS NULL SET c.tallied = true
WITH c
MATCH (r:Record)
WITH r.source AS source, max(r.connector) AS connector, max(r.received_at) AS received, max(r.known_at) AS known,
    max(CASE WHEN r.state = 'applied' THEN r.received_at END) AS applied_at,
    sum(CASE r.state WHEN 'pending' THEN 1 ELSE 0 END) AS pending,
    sum(CASE r.state WHEN 'applied' THEN 1 ELSE 0 END) AS applied,
    sum(CASE r.state WHEN 'quarantined' THEN 1 ELSE 0 END) AS quarantined,
    sum(CASE r.state WHEN 'retracted' THEN 1 ELSE 0 END) AS retracted
CREATE (:Tally {source: source, by: 'journal', connector: connector, last_received: received, last_known: known,
    last_applied: applied_at, pending: pending, applied: applied, quarantined: quarantined, retracted: retracted});
