// Times are microseconds since 1970 in UTC. An open end is the greatest integer, an open start the least.
// Every step can be run again, so that two processes may start at once.

CREATE CONSTRAINT counter_name IF NOT EXISTS FOR (c:Counter) REQUIRE c.name IS UNIQUE;
CREATE CONSTRAINT source_name IF NOT EXISTS FOR (o:Source) REQUIRE o.name IS UNIQUE;

// A record as it was received. `stand` is its source and part, which it stands for until a newer one does.
CREATE CONSTRAINT record_id IF NOT EXISTS FOR (r:Record) REQUIRE r.id IS UNIQUE;
CREATE CONSTRAINT record_seq IF NOT EXISTS FOR (r:Record) REQUIRE r.seq IS UNIQUE;
CREATE INDEX record_state IF NOT EXISTS FOR (r:Record) ON (r.state, r.seq);
CREATE INDEX record_stand IF NOT EXISTS FOR (r:Record) ON (r.stand, r.state);
CREATE INDEX record_source IF NOT EXISTS FOR (r:Record) ON (r.source);

// One source's claim of one item. `thing` is what makes two statements versions of one; none where it has ended.
// (:Record)-[:STATES {snapshot}]->(:Statement) says who states it now; `evidence` is its own record's seq.
CREATE CONSTRAINT statement_seq IF NOT EXISTS FOR (s:Statement) REQUIRE s.seq IS UNIQUE;
CREATE INDEX statement_thing IF NOT EXISTS FOR (s:Statement) ON (s.thing);
CREATE INDEX statement_evidence IF NOT EXISTS FOR (s:Statement) ON (s.evidence);
CREATE INDEX statement_opened IF NOT EXISTS FOR (s:Statement) ON (s.kind, s.opened);
CREATE INDEX statement_name IF NOT EXISTS FOR (s:Statement) ON (s.kind, s.name);
CREATE INDEX change_at IF NOT EXISTS FOR (s:Change) ON (s.at);
CREATE INDEX change_revision IF NOT EXISTS FOR (s:Change) ON (s.revision);
CREATE INDEX alert_at IF NOT EXISTS FOR (s:Alert) ON (s.at);
CREATE INDEX alert_name_at IF NOT EXISTS FOR (s:Alert) ON (s.name, s.at);
CREATE INDEX fact_kind IF NOT EXISTS FOR (s:Fact) ON (s.fact);
CREATE INDEX fact_subject IF NOT EXISTS FOR (s:Fact) ON (s.subject, s.fact);
CREATE INDEX fact_object IF NOT EXISTS FOR (s:Fact) ON (s.object, s.fact);

// (:Change)-[:CHANGED {service, at}]->(:Entity); facts stand between entities too, for whoever looks at the graph.
CREATE CONSTRAINT entity_id IF NOT EXISTS FOR (e:Entity) REQUIRE e.id IS UNIQUE;
CREATE INDEX changed_service IF NOT EXISTS FOR ()-[c:CHANGED]-() ON (c.service, c.at);

// The feed is `opened` of statements and, for all that is not an opening, these lines.
CREATE CONSTRAINT line_seq IF NOT EXISTS FOR (l:Line) REQUIRE l.seq IS UNIQUE;
CREATE INDEX line_statement IF NOT EXISTS FOR (l:Line) ON (l.statement);

CREATE CONSTRAINT kept_key IF NOT EXISTS FOR (k:Kept) REQUIRE (k.shelf, k.key) IS UNIQUE;

MERGE (c:Counter {name: 'store'}) ON CREATE SET c.statements = 0, c.feed = 0, c.turn = 0;
MERGE (c:Counter {name: 'journal'}) ON CREATE SET c.records = 0;
MERGE (c:Counter {name: 'claims'}) ON CREATE SET c.turn = 0;
