// An index on two properties helps only where both are asked about: hence `r.seq > 0` beside a state, and the like.

// name: records_append
// Make records durable, each numbered in the order of arrival; none of a known id. The ids of those, by place.
MATCH (c:Counter {name: 'journal'}) SET c.records = c.records + size($rows)
WITH c.records - size($rows) AS base
UNWIND range(1, size($rows)) AS nth
WITH base + nth AS seq, nth, $rows[nth - 1] AS row
MERGE (r:Record {id: row[0]})
ON CREATE SET r.seq = seq, r.source = row[1], r.connector = row[2], r.part = row[3], r.stand = row[4], r.body = row[5],
    r.digest = row[6], r.received_at = row[7], r.published_at = row[8], r.known_at = row[9], r.meta = row[10],
    r.labels = row[11], r.state = row[12], r.reason = row[13], r.occurred_at = row[14], r.claimed_until = 0, r.lapsed = false
WITH nth, r.seq <> seq AS duplicate WHERE duplicate
RETURN nth - 1

// name: records_claim
// Lease pending records in the order of arrival; the turn keeps two claims from seeing the same. By the server's clock.
// What this worker claimed before it lost the line, and this very claim where its word got lost, are free to it.
MATCH (c:Counter {name: 'claims'}) SET c.turn = c.turn + 1
WITH c
MATCH (r:Record)
WHERE r.state = 'pending' AND r.seq > 0 AND ($source IS NULL OR r.source = $source)
    AND (r.claimed_until <= timestamp()
        OR (r.claimed_by = $worker AND (r.claimed_in <= $lost OR r.claimed_in = $turn)))
WITH r ORDER BY r.seq LIMIT $limit
SET r.claimed_until = timestamp() + $lease, r.claimed_by = $worker, r.claimed_in = $turn
RETURN r ORDER BY r.seq

// name: records_pending
// Whether any record waits.
RETURN EXISTS { (r:Record) WHERE r.state = 'pending' AND r.seq > 0 }

// name: states_turn
// One change of records' states at a time, appending aside: the lock is held until the transaction ends.
MATCH (c:Counter {name: 'claims'}) SET c.turn = c.turn + 1

// name: record_quarantine
// Set a record aside, unless it was settled otherwise; its source and the state that it had, where there is one.
MATCH (r:Record {id: $id})
WITH r, r.state AS before
FOREACH (_ IN CASE WHEN before IN ['pending', 'quarantined'] THEN [1] ELSE [] END |
    SET r.state = 'quarantined', r.reason = $reason, r.claimed_until = 0)
RETURN r.source, before

// name: records_release
// Quarantined records, all or a source's or those named, become pending again; how many of each source.
MATCH (r:Record)
WHERE r.state = 'quarantined' AND r.seq > 0 AND ($source IS NULL OR r.source = $source) AND ($any_id OR r.id IN $ids)
SET r.state = 'pending', r.reason = '', r.claimed_until = 0
RETURN r.source, count(r)

// name: records_by_id
// Named records that a reader sees, oldest first.
UNWIND $ids AS id
MATCH (r:Record {id: id})
WHERE ($source IS NULL OR r.source = $source) AND ($state IS NULL OR r.state = $state)
    AND ($all_labels OR all(label IN r.labels WHERE label IN $labels))
RETURN r ORDER BY r.seq LIMIT $limit

// name: excerpts
// What a citation shows of named records that a reader sees, oldest first.
UNWIND $ids AS id
MATCH (r:Record {id: id})
WHERE all(label IN r.labels WHERE label IN $labels)
RETURN r.id, r.source, r.connector, r.part, r.digest, r.known_at, left(r.body, $length) ORDER BY r.seq

// name: records_of_state
// Records in a state that a reader sees, oldest first.
MATCH (r:Record)
WHERE r.state = $state AND r.seq > 0 AND ($source IS NULL OR r.source = $source)
    AND ($all_labels OR all(label IN r.labels WHERE label IN $labels))
RETURN r ORDER BY r.seq LIMIT $limit

// name: records_of_source
// A source's records, in whatever state, that a reader sees, oldest first.
MATCH (r:Record)
WHERE r.source = $source AND ($all_labels OR all(label IN r.labels WHERE label IN $labels))
RETURN r ORDER BY r.seq LIMIT $limit

// name: records_any
// All records that a reader sees, oldest first.
MATCH (r:Record)
WHERE r.seq > 0 AND ($all_labels OR all(label IN r.labels WHERE label IN $labels))
RETURN r ORDER BY r.seq LIMIT $limit

// name: records_lapsed
// Which of these records do not count any more.
UNWIND $ids AS id
MATCH (r:Record {id: id}) WHERE r.lapsed
RETURN r.id

// name: records_standing
// Of each part the record that counts last, as the rules rank events.
UNWIND $stands AS stand
CALL (stand) {
    MATCH (r:Record) WHERE r.stand = stand AND r.state IN ['pending', 'applied']
    RETURN r ORDER BY coalesce(r.occurred_at, r.known_at) DESC,
        CASE WHEN r.occurred_at IS NULL THEN '' ELSE r.digest END DESC, r.seq DESC LIMIT 1
}
RETURN r

// name: source_labels
// The sets of labels that a source's records carry.
MATCH (r:Record) WHERE r.source = $source
RETURN DISTINCT r.labels

// name: records_restrict
// Records carry these labels too.
UNWIND $ids AS id
MATCH (r:Record {id: id})
SET r.labels = r.labels + [label IN $labels WHERE NOT label IN r.labels]

// name: tallies
// Every source's records by state, and its newest times.
MATCH (t:Tally)
WITH t.source AS source, max(t.connector) AS connector, sum(t.pending) AS pending, sum(t.applied) AS applied,
    sum(t.quarantined) AS quarantined, sum(t.retracted) AS retracted, max(t.last_received) AS received,
    max(t.last_known) AS known, max(t.last_applied) AS applied_at
WHERE pending + applied + quarantined + retracted > 0
RETURN source, connector, pending, applied, quarantined, retracted, received, known, applied_at ORDER BY source

// name: tallies_add
// So many more of sources' records are in each state.
UNWIND $rows AS row
MERGE (t:Tally {source: row.source, by: $by})
ON CREATE SET t.connector = row.connector, t.pending = 0, t.applied = 0, t.quarantined = 0, t.retracted = 0
SET t.pending = t.pending + row.pending, t.applied = t.applied + row.applied,
    t.quarantined = t.quarantined + row.quarantined, t.retracted = t.retracted + row.retracted,
    t.connector = CASE WHEN row.connector > t.connector THEN row.connector ELSE t.connector END,
    t.last_received = CASE WHEN row.last_received < t.last_received THEN t.last_received
        ELSE coalesce(row.last_received, t.last_received) END,
    t.last_known = CASE WHEN row.last_known < t.last_known THEN t.last_known ELSE coalesce(row.last_known, t.last_known) END,
    t.last_applied = CASE WHEN row.last_applied < t.last_applied THEN t.last_applied
        ELSE coalesce(row.last_applied, t.last_applied) END

// name: tally_newest
// A source's newest times. They are held, so that what is being appended to it is waited for, or waits.
MATCH (t:Tally {source: $source}) WHERE t.by IS NOT NULL
SET t.turn = coalesce(t.turn, 0) + 1
RETURN max(t.last_received), max(t.last_known), max(t.last_applied)

// name: tally_renew
// What a source's newest times are, looked up; a source without records has no tally.
MATCH (t:Tally {source: $source}) WHERE t.by IS NOT NULL
WITH collect(t) AS tallies
OPTIONAL MATCH (r:Record {source: $source})
WITH tallies, count(r) AS records, max(r.connector) AS connector, max(r.received_at) AS received, max(r.known_at) AS known,
    max(CASE WHEN r.state = 'applied' THEN r.received_at END) AS applied_at
FOREACH (t IN CASE WHEN records > 0 THEN tallies ELSE [] END |
    SET t.connector = connector, t.last_received = received, t.last_known = known, t.last_applied = applied_at)
FOREACH (t IN CASE WHEN records = 0 THEN tallies ELSE [] END | DETACH DELETE t)

// name: store_turn
// One writer of statements at a time: the lock is held until the transaction ends.
MATCH (c:Counter {name: 'store'}) SET c.turn = c.turn + 1

// name: store_ends
// The last numbers given to statements and to lines of the feed.
MATCH (c:Counter {name: 'store'}) RETURN c.statements, c.feed

// name: store_numbered
// These numbers are given now.
MATCH (c:Counter {name: 'store'}) SET c.statements = $statements, c.feed = $feed

// name: record_heads
// What applying needs to know of records: whether their part or source was seen before, and of snapshots (`whole`)
// when others of the part were known.
UNWIND $ids AS id
MATCH (r:Record {id: id})
WITH r,
    EXISTS { (o:Source {name: r.source}) WHERE o.snapshots > 0 } AS swept,
    EXISTS { (p:Record) WHERE p.stand = r.stand AND p.state = 'applied' } AS seen,
    CASE WHEN r.id IN $whole
        THEN COLLECT { MATCH (p:Record) WHERE p.stand = r.stand AND p.state = 'applied' RETURN p.known_at }
        ELSE [] END AS known
RETURN collect([r.id, r.seq, r.source, r.part, r.received_at, r.known_at, r.occurred_at, r.digest, r.labels, r.state,
    swept, seen, known])

// name: versions_of_things
// All versions of these things, with who states them.
UNWIND $things AS thing
MATCH (s:Statement {thing: thing})
MATCH (e:Record {seq: s.evidence})
RETURN s {.seq, .source, .thing, .digest, .kind, .trust, .labels, .evidence, .known_from, .known_to, .valid_from, .valid_to},
    [e.seq, e.id, e.part, e.known_at, e.occurred_at, e.digest, e.state],
    COLLECT { MATCH (r:Record)-[u:STATES]->(s) RETURN [u.snapshot, r.seq, r.id, r.part, r.known_at, r.occurred_at, r.digest, r.state] }

// name: statements_with_supports
// Statements by number, with who states them.
UNWIND $seqs AS seq
MATCH (s:Statement {seq: seq})
MATCH (e:Record {seq: s.evidence})
RETURN s {.seq, .source, .thing, .digest, .kind, .trust, .labels, .evidence, .known_from, .known_to, .valid_from, .valid_to},
    [e.seq, e.id, e.part, e.known_at, e.occurred_at, e.digest, e.state],
    COLLECT { MATCH (r:Record)-[u:STATES]->(s) RETURN [u.snapshot, r.seq, r.id, r.part, r.known_at, r.occurred_at, r.digest, r.state] }

// name: statement_body
// A statement's item.
MATCH (s:Statement {seq: $seq}) RETURN s.body

// name: stated_by_parts
// What the parts of snapshots state now.
UNWIND $stands AS stand
MATCH (r:Record) WHERE r.stand = stand AND r.state IS NOT NULL
MATCH (r)-[:STATES {snapshot: true}]->(s:Statement)
RETURN DISTINCT s.seq

// name: stated_by_unseen
// What a source's parts state that are not among those seen.
MATCH (r:Record {source: $source})-[:STATES {snapshot: true}]->(s:Statement)
WHERE NOT r.part IN $seen
RETURN DISTINCT s.seq, r.part ORDER BY s.seq

// name: resting_on_record
// What rests on a record: its own statements, and those of others that it states too.
CALL () {
    MATCH (s:Statement {evidence: $record}) RETURN s.seq AS seq
    UNION
    MATCH (:Record {seq: $record})-[:STATES]->(s:Statement) RETURN s.seq AS seq
}
RETURN seq ORDER BY seq

// name: changes_add
// Open statements of changes, joined to the services that they touch.
UNWIND $rows AS row
MATCH (r:Record {seq: row[0]})
CREATE (s:Statement:Change {seq: row[2], thing: row[3], source: row[4], digest: row[5], kind: row[6], trust: row[7], labels: row[8],
    record: row[9], evidence: row[0], known_from: row[10], known_to: row[11], valid_from: row[12], valid_to: row[13],
    opened: row[14], body: row[15],
    name: row[16], at: row[17], revision: row[18]})
FOREACH (_ IN CASE WHEN row[1] IS NULL THEN [] ELSE [1] END | CREATE (r)-[:STATES {snapshot: row[1]}]->(s))
FOREACH (service IN row[19] |
    MERGE (e:Entity {id: service})
    CREATE (s)-[:CHANGED {service: service, at: row[17]}]->(e))

// name: facts_add
// Open statements of facts; an edge between two entities (it has a type) stands in the graph as one.
UNWIND $rows AS row
MATCH (r:Record {seq: row[0]})
CREATE (s:Statement:Fact {seq: row[2], thing: row[3], source: row[4], digest: row[5], kind: row[6], trust: row[7], labels: row[8],
    record: row[9], evidence: row[0], known_from: row[10], known_to: row[11], valid_from: row[12], valid_to: row[13],
    opened: row[14], body: row[15],
    fact: row[16], subject: row[17], object: row[18]})
FOREACH (_ IN CASE WHEN row[1] IS NULL THEN [] ELSE [1] END | CREATE (r)-[:STATES {snapshot: row[1]}]->(s))
FOREACH (type IN row[19] |
    MERGE (one:Entity {id: row[17]})
    MERGE (other:Entity {id: row[18]})
    CREATE (one)-[:$(type) {statement: row[2], known_from: row[10], known_to: row[11], valid_from: row[12],
        valid_to: row[13], trust: row[7], labels: row[8]}]->(other))

// name: documents_add
// Open statements of the other kinds, each with its own label.
UNWIND $rows AS row
MATCH (r:Record {seq: row[0]})
CREATE (s:Statement:$(row[18]) {seq: row[2], thing: row[3], source: row[4], digest: row[5], kind: row[6], trust: row[7], labels: row[8],
    record: row[9], evidence: row[0], known_from: row[10], known_to: row[11], valid_from: row[12], valid_to: row[13],
    opened: row[14], body: row[15],
    name: row[16], at: row[17]})
FOREACH (_ IN CASE WHEN row[1] IS NULL THEN [] ELSE [1] END | CREATE (r)-[:STATES {snapshot: row[1]}]->(s))

// name: statements_close
// Statements are known no longer than to these moments.
UNWIND $rows AS row
MATCH (s:Statement {seq: row.seq}) SET s.known_to = row.known_to
WITH s WHERE s:Fact
MATCH (:Entity {id: s.subject})-[f {statement: s.seq}]->(:Entity {id: s.object}) SET f.known_to = s.known_to

// name: supports_add
// Records state these too.
UNWIND $rows AS row
MATCH (r:Record {seq: row.record})
MATCH (s:Statement {seq: row.statement})
MERGE (r)-[:STATES {snapshot: row.snapshot}]->(s)

// name: supports_drop
// Records do not state these any more.
UNWIND $rows AS row
MATCH (:Record {seq: row.record})-[u:STATES {snapshot: row.snapshot}]->(:Statement {seq: row.statement})
DELETE u

// name: records_apply
// These records are applied; of each the source, the state that it had, and when it was received.
UNWIND $rows AS seq
MATCH (r:Record {seq: seq})
WITH r, r.state AS before
SET r.state = 'applied', r.reason = '', r.claimed_until = 0
RETURN r.source, before, r.received_at

// name: records_retract
// These records are taken back; likewise.
UNWIND $rows AS row
MATCH (r:Record {seq: row.seq})
WITH r, row, r.state AS before
SET r.state = 'retracted', r.reason = row.reason, r.claimed_until = 0
RETURN r.source, before, r.received_at

// name: parts_lapse
// The other snapshots of these parts do not count any more.
UNWIND $rows AS row
MATCH (r:Record) WHERE r.stand = row.stand AND r.state = 'applied' AND NOT r.lapsed AND r.seq <> row.seq
SET r.lapsed = true

// name: records_lapse
// Snapshots that came late do not count.
UNWIND $seqs AS seq
MATCH (r:Record {seq: seq}) SET r.lapsed = true

// name: source_swept
// A whole snapshot of a source has been seen: its other parts do not count any more.
MERGE (o:Source {name: $source}) ON CREATE SET o.snapshots = 0
SET o.snapshots = o.snapshots + 1
WITH o
MATCH (r:Record {source: $source}) WHERE r.state = 'applied' AND NOT r.lapsed AND NOT r.part IN $seen
SET r.lapsed = true

// name: lines_add
// Lines of the feed that open nothing.
UNWIND $rows AS row
CREATE (l:Line) SET l = row

// name: statements_erase
// Remove statements with all by which they are found; their past lines say only that.
UNWIND $rows AS row
MATCH (s:Statement {seq: row.statement})
OPTIONAL MATCH (:Entity {id: s.subject})-[f {statement: s.seq}]->(:Entity {id: s.object})
DELETE f
CREATE (l:Line {seq: s.opened, op: 'erased', statement: s.seq})
DETACH DELETE s
WITH row
MATCH (l:Line {statement: row.statement}) SET l.op = 'erased'

// name: record_forget
// Remove a record, and the entities and sources that nothing names any more.
MATCH (r:Record {seq: $seq})
WITH r, r.source AS source
DETACH DELETE r
WITH source
CALL (source) {
    MATCH (o:Source {name: source}) WHERE NOT EXISTS { (:Record {source: source}) } DELETE o
}
CALL () { MATCH (e:Entity) WHERE NOT (e)--() DELETE e }

// name: facts_of_kinds
// Facts of some kinds that a view sees, in commit order.
UNWIND $kinds AS kind
MATCH (s:Fact {fact: kind})
WHERE s.known_from <= $known_at AND s.known_to > $known_at
    AND ($any_time OR (s.valid_from <= $as_of AND s.valid_to > $as_of))
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.seq

// name: facts_of_subjects
// The same of some subjects.
UNWIND $texts AS text
UNWIND $kinds AS kind
MATCH (s:Fact {subject: text, fact: kind})
WHERE s.known_from <= $known_at AND s.known_to > $known_at
    AND ($any_time OR (s.valid_from <= $as_of AND s.valid_to > $as_of))
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.seq

// name: facts_of_objects
// The same of some objects.
UNWIND $texts AS text
UNWIND $kinds AS kind
MATCH (s:Fact {object: text, fact: kind})
WHERE s.known_from <= $known_at AND s.known_to > $known_at
    AND ($any_time OR (s.valid_from <= $as_of AND s.valid_to > $as_of))
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.seq

// name: changes_of_services
// Changes of some services within a time that a view sees, newest first.
UNWIND $services AS service
MATCH (s:Change)-[c:CHANGED]->()
USING INDEX c:CHANGED(service, at)
WHERE c.service = service AND c.at >= $start AND c.at < $end
WITH DISTINCT s
WHERE s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
WITH s ORDER BY s.at DESC, s.seq DESC LIMIT $limit
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.at DESC, s.seq DESC

// name: changes_within
// All changes within a time that a view sees, newest first.
MATCH (s:Change)
WHERE s.at >= $start AND s.at < $end
    AND s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
WITH s ORDER BY s.at DESC, s.seq DESC LIMIT $limit
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.at DESC, s.seq DESC

// name: changes_of_ids
// Changes by id or revision within a time that a view sees, newest first.
UNWIND $ids AS id
CALL (id) {
    MATCH (s:Statement {kind: 'change', name: id}) RETURN s
    UNION
    MATCH (s:Change {revision: id}) RETURN s
}
WITH DISTINCT s
WHERE s.at >= $start AND s.at < $end
    AND s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.at DESC, s.seq DESC

// name: alerts_of_names
// Occurrences of some alerts since a time that a view sees, newest first.
UNWIND $names AS name
MATCH (s:Alert) WHERE s.name = name AND s.at >= $start
    AND s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
WITH s ORDER BY s.at DESC, s.seq DESC LIMIT $limit
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.at DESC, s.seq DESC

// name: alerts_since
// All occurrences since a time that a view sees, newest first.
MATCH (s:Alert) WHERE s.at >= $start
    AND s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
WITH s ORDER BY s.at DESC, s.seq DESC LIMIT $limit
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.at DESC, s.seq DESC

// name: documents_of_names
// Statements of a kind by name that a view sees, in commit order.
UNWIND $names AS name
MATCH (s:Statement {kind: $kind, name: name})
WHERE s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.seq

// name: documents_of_kind
// All statements of a kind that a view sees, in commit order.
MATCH (s:Statement {kind: $kind})
WHERE s.name IS NOT NULL AND s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.seq

// name: statements_by_seq
// Whole statements.
UNWIND $seqs AS seq
MATCH (s:Statement {seq: seq})
RETURN s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY s.seq

// name: services_named
// All services that changes name.
MATCH (e:Entity) WHERE EXISTS { (e)<-[:CHANGED]-() } RETURN e.id

// name: services_seen
// The services that changes name which a reader may see, whenever it was known.
MATCH (e:Entity)
WHERE EXISTS {
    (e)<-[:CHANGED]-(s) WHERE all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
}
RETURN e.id

// name: feed_after
// The feed after a watermark: openings of some kinds of items, and lines of those or of what is gone.
CALL () {
    UNWIND $kinds AS kind
    MATCH (s:Statement) WHERE s.kind = kind AND s.opened > $watermark
    RETURN s.opened AS seq, 'opened' AS op, s.seq AS statement, s ORDER BY seq LIMIT $limit
    UNION ALL
    MATCH (l:Line) WHERE l.seq > $watermark
    OPTIONAL MATCH (s:Statement {seq: l.statement})
    WITH l, s WHERE s IS NULL OR s.kind IN $kinds
    RETURN l.seq AS seq, l.op AS op, l.statement AS statement, s ORDER BY seq LIMIT $limit
}
WITH seq, op, statement, s ORDER BY seq LIMIT $limit
RETURN seq, op, statement, s.seq, s.kind, s.body, s.record, s.source, s.trust, s.known_from, s.known_to, s.labels ORDER BY seq

// name: feed_end
// The last line's number.
MATCH (c:Counter {name: 'store'}) RETURN c.feed

// name: keep
// Put bytes on a shelf; they rest on these records alone.
UNWIND $rows AS row
MERGE (k:Kept {shelf: $shelf, key: row.key}) SET k.body = row.body
WITH k
OPTIONAL MATCH (k)-[old:RESTS_ON]->()
DELETE old
WITH DISTINCT k
UNWIND $records AS id
MATCH (r:Record {id: id})
CREATE (k)-[:RESTS_ON]->(r)

// name: records_missing
// Those of the named records that are not there.
UNWIND $ids AS id
WITH id WHERE NOT EXISTS { (:Record {id: id}) }
RETURN id

// name: kept_all
// All of a shelf.
MATCH (k:Kept {shelf: $shelf}) WHERE k.key IS NOT NULL RETURN k.key, k.body ORDER BY k.key

// name: kept_some
// A shelf's bytes by key.
UNWIND $keys AS key
MATCH (k:Kept {shelf: $shelf, key: key}) RETURN k.key, k.body

// name: kept_of_record
// The kept things that rest on a record.
MATCH (:Record {seq: $record})<-[:RESTS_ON]-(k:Kept) RETURN k.shelf, k.key ORDER BY k.shelf, k.key

// name: kept_delete
// Remove a kept thing.
MATCH (k:Kept {shelf: $shelf, key: $key}) DETACH DELETE k

// name: schema_version
// The version of the schema; none before the first.
MATCH (v:Schema) RETURN max(v.version)

// name: schema_reached
// The schema is at this version now.
MERGE (v:Schema {name: 'precedent'}) SET v.version = $version

// name: rows_turn
// Whoever holds this writes rows; the watermark of a set is made with its first turn.
MERGE (w:RowSet {maker: $maker})
ON CREATE SET w.watermark = 0, w.turn = 0, w.leader = '', w.until = 0
SET w.turn = w.turn + 1

// name: rows_lead
// Take the lead of a set, or keep it, where no other has it; a row where one has it then.
MATCH (w:RowSet {maker: $maker}) WHERE w.leader = $who OR w.until < timestamp()
SET w.leader = $who, w.until = timestamp() + $lease
RETURN w.leader

// name: rows_watermark
// How far rows were made of the feed.
OPTIONAL MATCH (w:RowSet {maker: $maker}) RETURN coalesce(w.watermark, 0)

// name: rows_reach
// They are made up to here.
MATCH (w:RowSet {maker: $maker}) WHERE w.watermark < $watermark SET w.watermark = $watermark

// name: rows_there
// Those of the keys that have rows.
UNWIND $keys AS key
MATCH (r:Row {key: key}) RETURN r.key

// name: rows_add
// Add rows of statements that are there; their keys.
UNWIND $rows AS row
MATCH (s:Statement {seq: row.row.statement})
CREATE (r:Row:$(row.types))-[:OF]->(s)
SET r = row.row
WITH r, row
CALL (r, row) {
    UNWIND row.vectors AS vector
    CALL db.create.setNodeVectorProperty(r, 'vector', vector)
    RETURN count(*) AS vectors
}
RETURN r.key

// name: shards_add
// So many more rows of kinds and labels.
UNWIND $rows AS row
MERGE (h:Shard {key: row.shard.key})
ON CREATE SET h = row.shard, h.rows = 0, h.indexed = false, h.near_indexed = false
SET h.rows = h.rows + row.more

// name: shards_of
// The kinds and labels of a set's rows.
MATCH (h:Shard {maker: $maker})
RETURN h.kind, h.labels, h.near, h.words, h.rows, h.indexed, h.near_indexed ORDER BY h.key

// name: shards_indexed
// These indexes are there.
MATCH (h:Shard {maker: $maker})
SET h.indexed = h.indexed OR h.words IN $indexes, h.near_indexed = h.near_indexed OR h.near IN $indexes

// name: terms_add
// So many more rows have these terms.
UNWIND $rows AS row
MERGE (t:Term {words: row.words, text: row.text})
ON CREATE SET t.rows = 0
SET t.rows = t.rows + row.more

// name: terms_of
// How many rows have these terms.
UNWIND $words AS words
UNWIND $texts AS text
MATCH (t:Term {words: words, text: text}) RETURN t.text, sum(t.rows)

// name: rows_stop
// Nobody writes rows while this is held.
MATCH (w:RowSet) SET w.turn = w.turn + 1

// name: rows_drop
// Remove the rows of statements; what they counted for.
UNWIND $seqs AS seq
MATCH (r:Row)-[:OF]->(:Statement {seq: seq})
WITH r, r.shard AS shard, r.words AS words, r.terms AS terms
DETACH DELETE r
RETURN shard, words, terms

// name: shards_less
// So many rows less.
UNWIND $rows AS row
MATCH (h:Shard {key: row.key}) SET h.rows = h.rows - row.less

// name: terms_less
// So many rows less have these terms; what none has is forgotten.
UNWIND $rows AS row
MATCH (t:Term {words: row.words, text: row.text}) SET t.rows = t.rows - row.less
WITH t WHERE t.rows <= 0
DELETE t

// name: rows_nearest
// The nearest rows: how many there are, and those of them that a view sees.
CALL db.index.vector.queryNodes($index, $asked, $vector) YIELD node AS r, score
MATCH (r)-[:OF]->(s:Statement)
WITH r, score, s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
    AND r.at < $before AND ($any_facet OR r.facet IN $facets OR split(r.facet, ':')[0] IN $facets) AS seen
ORDER BY score DESC, r.statement, r.place
RETURN count(*), collect(CASE WHEN seen THEN [r.statement, r.document, r.kind, r.facet, score] END)[..$limit]

// name: rows_matching
// The best rows by words, likewise.
CALL db.index.fulltext.queryNodes($index, $words, {limit: $asked}) YIELD node AS r, score
MATCH (r)-[:OF]->(s:Statement)
WITH r, score, s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
    AND r.at < $before AND ($any_facet OR r.facet IN $facets OR split(r.facet, ':')[0] IN $facets) AS seen
ORDER BY score DESC, r.statement, r.place
RETURN count(*), collect(CASE WHEN seen THEN [r.statement, r.document, r.kind, r.facet, score] END)[..$limit]

// name: rows_compared
// The nearest of all rows that a view sees, by comparing each.
MATCH (r:Row {near: $index})-[:OF]->(s:Statement)
WHERE s.known_from <= $known_at AND s.known_to > $known_at
    AND all(label IN s.labels WHERE label IN $labels) AND NOT s.record IN $hidden
    AND r.at < $before AND ($any_facet OR r.facet IN $facets OR split(r.facet, ':')[0] IN $facets)
    AND r.vector IS NOT NULL
WITH r, vector.similarity.cosine(r.vector, $vector) AS score
ORDER BY score DESC, r.statement, r.place LIMIT $limit
RETURN r.statement, r.document, r.kind, r.facet, score

// name: move_counts
// How many rows a move has of each kind, in the order of the kinds.
RETURN
    COUNT { (o:Source) WHERE o.snapshots > 0 },
    COUNT { (:Record) },
    COUNT { (:Statement) },
    COUNT { ()-[:STATES]->() },
    COUNT { (:Line) },
    COUNT { (k:Kept) WHERE k.shelf <> 'migration' },
    COUNT {
        MATCH (s:Counter {name: 'store'}), (j:Counter {name: 'journal'})
        UNWIND [s.feed, j.records, s.statements] AS value
        WITH value WHERE value > 0
        RETURN value
    }

// name: move_sources
// Sources of which whole snapshots were seen.
MATCH (o:Source) WHERE o.snapshots > 0 AND ($name IS NULL OR o.name > $name)
RETURN o.name, o.snapshots ORDER BY o.name LIMIT $limit

// name: move_records
// Records by place.
MATCH (r:Record) WHERE r.seq > $place
RETURN r ORDER BY r.seq LIMIT $limit

// name: move_statements
// Statements by number.
MATCH (s:Statement) WHERE s.seq > $seq
RETURN s ORDER BY s.seq LIMIT $limit

// name: move_supports
// Who states what.
MATCH (s:Statement)
USING INDEX s:Statement(seq)
WHERE s.seq >= $statement
MATCH (r:Record)-[u:STATES]->(s)
WHERE s.seq > $statement OR r.seq > $record OR (r.seq = $record AND u.snapshot > ($snapshot = 1))
RETURN s.seq, r.seq, u.snapshot ORDER BY s.seq, r.seq, u.snapshot LIMIT $limit

// name: move_lines
// Lines of the feed, but for openings.
MATCH (l:Line) WHERE l.seq > $seq
RETURN l.seq, l.op, l.statement ORDER BY l.seq LIMIT $limit

// name: move_kept
// What lies on the shelves, with the records that it rests on.
CALL () {
    MATCH (k:Kept) WHERE k.shelf = $shelf AND k.key > $key
    RETURN k ORDER BY k.shelf, k.key LIMIT $limit
    UNION ALL
    MATCH (k:Kept) WHERE k.shelf > $shelf AND k.key IS NOT NULL AND k.shelf <> 'migration'
    RETURN k ORDER BY k.shelf, k.key LIMIT $limit
}
WITH k ORDER BY k.shelf, k.key LIMIT $limit
RETURN k.shelf, k.key, k.body, COLLECT { MATCH (k)-[:RESTS_ON]->(r) RETURN r.id } ORDER BY k.shelf, k.key

// name: move_counters
// The last numbers given.
MATCH (s:Counter {name: 'store'}), (j:Counter {name: 'journal'})
UNWIND [['feed', s.feed], ['records', j.records], ['statements', s.statements]] AS pair
WITH pair[0] AS name, pair[1] AS value
WHERE value > 0 AND ($name IS NULL OR name > $name)
RETURN name, value ORDER BY name LIMIT $limit

// name: sources_load
// So many whole snapshots of sources were seen.
UNWIND $rows AS row
CREATE (o:Source) SET o = row

// name: records_load
// Records at their places.
UNWIND $rows AS row
CREATE (:Record {id: row[0], seq: row[15], source: row[1], connector: row[2], part: row[3], stand: row[4], body: row[5],
    digest: row[6], received_at: row[7], published_at: row[8], known_at: row[9], meta: row[10], labels: row[11],
    state: row[12], reason: row[13], occurred_at: row[14], claimed_until: 0, lapsed: row[16]})

// name: kept_load
// Put bytes on their shelves, each resting on its records.
UNWIND $rows AS row
CREATE (k:Kept {shelf: row.shelf, key: row.key, body: row.body})
WITH k, row
UNWIND row.records AS id
MATCH (r:Record {id: id})
CREATE (k)-[:RESTS_ON]->(r)

// name: counters_load
// These are the last numbers given.
UNWIND $rows AS row
MATCH (c:Counter {name: CASE row.name WHEN 'records' THEN 'journal' ELSE 'store' END})
SET c[row.name] = row.value
