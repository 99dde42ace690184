-- name: record_append
-- Make a record durable.
insert into records (seq, id, source, connector, part, body, digest, received_at, published_at, occurred_at, known_at, meta, visibility, state, reason, lapsed)
values (:seq, :id, :source, :connector, :part, :body, :digest, :received_at, :published_at, :occurred_at, :known_at, :meta, :visibility, :state, :reason, :lapsed)

-- name: records_known
-- Those of the ids that are there.
select id from records where id in (select value from json_each(:ids))

-- name: records_pending
-- Places of pending records in the order of arrival, but for those that are claimed.
select seq from records
where state = 'pending' and (:source is null or source = :source)
    and seq not in (select value from json_each(:claimed))
order by seq limit :limit

-- name: record_settle
-- Put a record into a state.
update records set state = :state, reason = :reason where seq = :seq

-- name: records_release
-- Quarantined records, all or a source's or those named, become pending again.
update records set state = 'pending', reason = ''
where state = 'quarantined'
    and (:source is null or source = :source)
    and (:any_id or id in (select value from json_each(:ids)))
returning source

-- name: record_heads
-- What applying needs to know of records.
select r.seq, r.id, r.source, r.part, r.received_at, r.known_at, r.occurred_at, r.digest, l.labels, r.state
from json_each(:ids) j cross join records r on r.id = j.value join label_sets l on l.id = r.visibility

-- name: records_by_seq
-- Whole records, oldest first.
select r.id, r.source, r.connector, r.part, r.body, r.digest, r.received_at, r.published_at, r.occurred_at, r.meta, l.labels, r.state, r.reason
from records r join label_sets l on l.id = r.visibility
where r.seq in (select value from json_each(:seqs))
order by r.seq

-- name: records_by_id
-- Places of named records that a reader sees, oldest first.
select seq from records
where id in (select value from json_each(:ids))
    and (:source is null or source = :source)
    and (:state is null or state = :state)
    and (:all_labels or visibility in (
        select id from label_sets where not exists (
            select 1 from json_each(labels) x where x.value not in (select value from json_each(:labels)))))
order by seq limit :limit

-- name: excerpts
-- What a citation shows of named records that a reader sees, oldest first.
select id, source, connector, part, digest, known_at, substr(body, 1, :length) from records
where id in (select value from json_each(:ids))
    and visibility in (
        select id from label_sets where not exists (
            select 1 from json_each(labels) x where x.value not in (select value from json_each(:labels))))
order by seq

-- name: records_by_state
-- Places of a source's records or those in a state that a reader sees, oldest first.
select seq from records
where (:source is null or source = :source)
    and (:state is null or state = :state)
    and (:all_labels or visibility in (
        select id from label_sets where not exists (
            select 1 from json_each(labels) x where x.value not in (select value from json_each(:labels)))))
order by seq limit :limit

-- name: tallies
-- Every source's records by state, and its newest times.
select source, connector, pending, applied, quarantined, retracted, last_received, last_known, last_applied
from tallies order by source

-- name: tally_add
-- So many more of a source's records are in each state.
insert into tallies (source, connector, pending, applied, quarantined, retracted, last_received, last_known, last_applied)
values (:source, :connector, :pending, :applied, :quarantined, :retracted, coalesce(:last_received, 0), coalesce(:last_known, 0), :last_applied)
on conflict (source) do update set
    connector = max(connector, excluded.connector),
    pending = pending + excluded.pending,
    applied = applied + excluded.applied,
    quarantined = quarantined + excluded.quarantined,
    retracted = retracted + excluded.retracted,
    last_received = max(last_received, coalesce(:last_received, last_received)),
    last_known = max(last_known, coalesce(:last_known, last_known)),
    last_applied = coalesce(max(last_applied, excluded.last_applied), last_applied, excluded.last_applied)

-- name: tally_renew
-- A source lost a record of these times: where it was the newest, another is now.
update tallies set (connector, last_received, last_known, last_applied) = (
    select max(connector), max(received_at), max(known_at), max(received_at) filter (where state = 'applied')
    from records where source = :source)
where source = :source and pending + applied + quarantined + retracted > 0
    and (:received_at >= last_applied or (:gone and (:received_at >= last_received or :known_at >= last_known)))

-- name: tally_drop
-- A source without records has no tally.
delete from tallies where source = :source and pending + applied + quarantined + retracted = 0

-- name: part_next
-- When the next snapshot of a part was known, of those that were applied already.
select min(known_at) from records
where source = :source and part = :part and state = 'applied' and known_at > :at

-- name: part_lapse
-- The older snapshots of a part do not count any more.
update records set lapsed = 1
where source = :source and part = :part and state = 'applied' and lapsed = 0 and seq <> :seq

-- name: record_lapse
-- A snapshot that came late does not count.
update records set lapsed = 1 where seq = :seq

-- name: unseen_lapse
-- The snapshots of swept parts do not count any more.
update records set lapsed = 1
where source = :source and state = 'applied' and lapsed = 0 and part not in (select value from json_each(:seen))

-- name: records_lapsed
-- Which of these records do not count any more.
select id from records where lapsed = 1 and id in (select value from json_each(:ids))

-- name: records_standing
-- Of each part the record that counts last, as the rules rank events.
select id, part, digest, received_at, known_at, labels, meta, lapsed from (
    select r.id, r.part, r.digest, r.received_at, r.known_at, l.labels, r.meta, r.lapsed,
        row_number() over (partition by r.part order by
            coalesce(r.occurred_at, r.known_at) desc, iif(r.occurred_at is null, '', r.digest) desc, r.seq desc) as place
    from records r join label_sets l on l.id = r.visibility
    where r.source = :source and r.state in ('pending', 'applied')
        and r.part in (select value from json_each(:parts)))
where place = 1

-- name: source_labels
-- The sets of labels that a source's records carry.
select labels from label_sets l where exists (select 1 from records where source = :source and visibility = l.id)

-- name: records_labels
-- Records with their labels.
select r.id, l.labels from records r join label_sets l on l.id = r.visibility
where r.id in (select value from json_each(:ids))

-- name: record_label
-- A record carries another set of labels.
update records set visibility = :visibility where id = :id

-- name: part_seen
-- Whether the whole source was seen before, or an earlier record of the part was applied.
select exists (select 1 from records where source = :source and part = :part and state = 'applied')
    or exists (select 1 from sources where name = :source and snapshots > 0)

-- name: source_add
-- Know a source by number.
insert into sources (name) values (:name) on conflict (name) do nothing

-- name: source_number
-- A source's number.
select id from sources where name = :name

-- name: source_swept
-- Another whole snapshot of a source has been seen.
update sources set snapshots = snapshots + 1 where id = :id

-- name: labels_add
-- Know a set of labels by number.
insert into label_sets (labels) values (:labels) on conflict (labels) do nothing

-- name: labels_get
-- A set of labels' number.
select id from label_sets where labels = :labels

-- name: name_number
-- A field's text's number, given where it has none.
insert into names (field, text) values (:field, :text)
on conflict (field, text) do update set text = excluded.text
returning id

-- name: entry_add
-- Let a statement be found by a name.
insert into entries (name, at, statement) values (:name, :at, :statement) on conflict do nothing

-- name: things_stated
-- Those of a source's things that have a version.
select distinct s.key from json_each(:keys) j cross join statements s
where s.source = :source and s.key = unhex(j.value)

-- name: statements_last
-- The last number given to a statement.
select coalesce(max(seq), 0) from sqlite_sequence where name = 'statements'

-- name: versions
-- All versions of one thing by one source, in the order in which they became known.
select s.seq, s.digest, s.known_from, s.known_to, s.valid_from, r.known_at, r.occurred_at, r.digest
from statements s cross join records r on r.seq = s.record
where s.source = :source and s.key = :key
order by s.known_from, s.seq

-- name: statement_add
-- Open a statement.
insert into statements (seq, source, key, digest, kind, trust, visibility, record, known_from, known_to, valid_from, valid_to, body)
values (:seq, :source, :key, :digest, :kind, :trust, :visibility, :record, :known_from, :known_to, :valid_from, :valid_to, :body)

-- name: statement_close
-- A statement is known no longer than to this moment.
update statements set known_to = max(:at, known_from) where seq = :seq

-- name: statement_row
-- A statement as it lies in the table.
select o.name, s.key, s.digest, s.kind, s.trust, l.labels, s.record, s.known_from, s.known_to, s.valid_from, s.valid_to
from statements s join sources o on o.id = s.source join label_sets l on l.id = s.visibility
where s.seq = :seq

-- name: statement_body
-- A statement's item, with its kind.
select kind, body from statements where seq = :seq

-- name: statements_of_record
-- What rests on a record: its own statements, and those of others that it states too.
select seq from statements where record = :record
union
select statement from supports where record = :record
order by 1

-- name: statement_delete
-- Remove a statement's row.
delete from statements where seq = :seq

-- name: entries_delete
-- Remove what a statement was found by.
delete from entries where statement = :seq

-- name: names_orphaned
-- Remove the names by which nothing is found any more.
delete from names where id in (
    select n.id from names n where not exists (select 1 from entries e where e.name = n.id))

-- name: sources_orphaned
-- Remove the sources that a record leaves behind with nothing. One that was swept, and never had any, stays swept.
delete from sources
where (snapshots = 0 or name = (select source from records where seq = :seq))
    and name not in (select source from records where seq <> :seq) and id not in (select source from statements)

-- name: labels_orphaned
-- Remove the sets of labels that nothing has any more.
delete from label_sets
where id not in (select visibility from records) and id not in (select visibility from statements)

-- name: feed_add
-- One line of the feed.
insert into feed (seq, op, statement) values (:seq, :op, :statement)

-- name: feed_erase
-- Past lines of an erased statement say only that.
update feed set op = 'erased' where statement = :statement

-- name: support_add
-- A part, or an event, states this too.
insert into supports (statement, source, part, record)
select seq, source, :part, :record from statements where seq = :statement
on conflict do nothing

-- name: support_replace
-- A part's older record no longer counts for this statement.
delete from supports where statement = :statement and part = :part and record <> :record

-- name: supports_of
-- Who states a statement, with the times of each.
select s.part, s.record, r.known_at, r.occurred_at, r.digest from supports s join records r on r.seq = s.record
where s.statement = :statement order by r.known_at, s.record

-- name: supports_drop
-- Nobody states a statement any more.
delete from supports where statement = :statement

-- name: supports_drop_parts
-- Of a version that ends, only what events said of it stays.
delete from supports where statement = :statement and part <> ''

-- name: support_drop
-- A part does not state this any more.
delete from supports where statement = :statement and part = :part

-- name: support_drop_record
-- A record does not state this any more.
delete from supports where statement = :statement and record = :record

-- name: supports_move
-- What stated one version states its copy.
update supports set statement = :target where statement = :statement

-- name: part_supports
-- What a snapshot's part states.
select statement from supports where source = :source and part = :part order by statement

-- name: unseen_supports
-- What a source's parts state that are not among those seen.
select statement, part from supports
where source = :source and part <> '' and part not in (select value from json_each(:seen))
order by statement

-- name: evidence
-- A statement's own record.
select r.seq, r.part, r.known_at, r.occurred_at, r.digest, r.state from statements s join records r on r.seq = s.record where s.seq = :statement

-- name: named
-- Statements found by any of these names that a view sees, in commit order.
select s.seq, s.known_to
from json_each(:fields) f
    cross join json_each(:texts) t
    cross join names n on n.field = f.value and n.text = t.value
    cross join entries e on e.name = n.id
    cross join statements s on s.seq = e.statement
where s.known_from <= :known_at and s.known_to > :known_at
    and (:any_time or (s.valid_from <= :as_of and s.valid_to > :as_of))
    and s.visibility in (
        select id from label_sets where not exists (
            select 1 from json_each(labels) x where x.value not in (select value from json_each(:labels))))
    and s.record not in (select seq from records where id in (select value from json_each(:hidden)))
group by s.seq
order by s.seq

-- name: named_newest
-- Statements found by any of these names within a time that a view sees, newest first.
select s.seq, s.known_to
from json_each(:fields) f
    cross join json_each(:texts) t
    cross join names n on n.field = f.value and n.text = t.value
    cross join entries e on e.name = n.id and e.at >= :start and e.at < :end
    cross join statements s on s.seq = e.statement
where s.known_from <= :known_at and s.known_to > :known_at
    and s.visibility in (
        select id from label_sets where not exists (
            select 1 from json_each(labels) x where x.value not in (select value from json_each(:labels))))
    and s.record not in (select seq from records where id in (select value from json_each(:hidden)))
group by s.seq
order by e.at desc, s.seq desc
limit :limit

-- name: newest
-- Statements of one name within a time that a view sees, newest first, read off the index without sorting.
select s.seq, s.known_to
from entries e cross join statements s on s.seq = e.statement
where e.name = (select id from names where field = :field and text = :text)
    and e.at >= :start and e.at < :end
    and s.known_from <= :known_at and s.known_to > :known_at
    and s.visibility in (
        select id from label_sets where not exists (
            select 1 from json_each(labels) x where x.value not in (select value from json_each(:labels))))
    and s.record not in (select seq from records where id in (select value from json_each(:hidden)))
order by e.at desc, e.statement desc
limit :limit

-- name: statements_by_seq
-- Whole statements.
select s.seq, s.kind, s.body, r.id, o.name, s.trust, s.known_from, s.known_to, l.labels
from json_each(:seqs) j
    cross join statements s on s.seq = j.value
    join records r on r.seq = s.record
    join sources o on o.id = s.source
    join label_sets l on l.id = s.visibility

-- name: statements_end
-- The ends of statements that are there, and the state of what is not: none.
select s.seq, s.known_to from json_each(:seqs) j cross join statements s on s.seq = j.value order by s.seq

-- name: feed_after
-- The feed after a watermark.
select f.seq, f.op, f.statement, s.known_to
from feed f left join statements s on s.seq = f.statement
where f.seq > :watermark order by f.seq limit :limit

-- name: feed_of_kinds_after
-- The same of some kinds of items, and what was erased.
select f.seq, f.op, f.statement, s.known_to
from feed f left join statements s on s.seq = f.statement
where f.seq > :watermark and (s.kind is null or s.kind in (select value from json_each(:kinds)))
order by f.seq limit :limit

-- name: texts_of
-- All texts that a field has.
select text from names where field = :field

-- name: texts_seen
-- The texts of a field that a statement carries which a reader may see, whenever it was known.
select n.text from names n
where n.field = :field and exists (
    select 1 from entries e cross join statements s on s.seq = e.statement
    where e.name = n.id and :known_at is not null
        and s.visibility in (
            select id from label_sets where not exists (
                select 1 from json_each(labels) x where x.value not in (select value from json_each(:labels))))
        and s.record not in (select seq from records where id in (select value from json_each(:hidden))))

-- name: feed_end
-- The last line's number.
select coalesce(max(seq), 0) from feed

-- name: keep
-- Put bytes on a shelf.
insert into kept (shelf, key, body) values (:shelf, :key, :body)
on conflict (shelf, key) do update set body = excluded.body

-- name: keep_links_drop
-- What is kept anew rests on nothing yet.
delete from kept_records where shelf = :shelf and key = :key

-- name: keep_links
-- A kept thing rests on records.
insert into kept_records (shelf, key, record)
select :shelf, :key, seq from records where id in (select value from json_each(:ids)) on conflict do nothing

-- name: records_missing
-- Those of the named records that are not there.
select value from json_each(:ids) where value not in (select id from records where id = value)

-- name: kept_all
-- All of a shelf.
select key, body from kept where shelf = :shelf order by key

-- name: kept_some
-- A shelf's bytes by key.
select key, body from kept where shelf = :shelf and key in (select value from json_each(:keys)) order by key

-- name: kept_of_record
-- The kept things that rest on a record.
select shelf, key from kept_records where record = :record order by shelf, key

-- name: kept_delete
-- Remove a kept thing.
delete from kept where shelf = :shelf and key = :key

-- name: record_delete
-- Remove a record's row.
delete from records where seq = :seq

-- name: move_counts
-- How many rows a move has of each kind, in the order of the kinds.
select
    (select count(*) from sources where snapshots > 0),
    (select count(*) from records),
    (select count(*) from statements),
    (select count(*) from supports),
    (select count(*) from feed where op <> 'opened'),
    (select count(*) from kept where shelf <> 'migration'),
    (select count(*) from sqlite_sequence where name in ('records', 'statements') and seq > 0)
        + exists (select 1 from feed)

-- name: move_sources
-- Sources of which whole snapshots were seen.
select name, snapshots from sources
where snapshots > 0 and (:name is null or name > :name)
order by name limit :limit

-- name: move_records
-- Records by place.
select r.seq, r.lapsed, r.id, r.source, r.connector, r.part, r.body, r.digest, r.received_at, r.published_at, r.occurred_at, r.meta, l.labels, r.state, r.reason
from records r cross join label_sets l on l.id = r.visibility
where r.seq > :place
order by r.seq limit :limit

-- name: move_statements
-- Statements by number, with the line of the feed that opened each.
select s.seq, f.seq, r.id, s.body, o.name, s.key, s.digest, s.kind, s.trust, l.labels, s.record, s.known_from, s.known_to, s.valid_from, s.valid_to
from statements s
    cross join feed f on f.statement = s.seq and f.op = 'opened'
    cross join records r on r.seq = s.record
    cross join sources o on o.id = s.source
    cross join label_sets l on l.id = s.visibility
where s.seq > :seq
order by s.seq limit :limit

-- name: move_supports
-- Who states what.
select statement, record, part <> '' from supports
where statement >= :statement and (statement, record, part <> '') > (:statement, :record, :snapshot)
order by statement, record, part <> '' limit :limit

-- name: move_lines
-- Lines of the feed, but for openings.
select seq, op, statement from feed where op <> 'opened' and seq > :seq order by seq limit :limit

-- name: move_kept
-- What lies on the shelves, with the records that it rests on.
select k.shelf, k.key, k.body, (
    select json_group_array(r.id) from kept_records x join records r on r.seq = x.record
    where x.shelf = k.shelf and x.key = k.key)
from kept k
where (k.shelf, k.key) > (:shelf, :key) and k.shelf <> 'migration'
order by k.shelf, k.key limit :limit

-- name: move_counters
-- The last numbers given.
select name, seq from (
    select name, seq from sqlite_sequence where name in ('records', 'statements')
    union all
    select 'feed', max(seq) from feed)
where seq > 0 and (:name is null or name > :name)
order by name limit :limit

-- name: source_load
-- So many whole snapshots of a source were seen.
insert into sources (name, snapshots) values (:name, :snapshots)
on conflict (name) do update set snapshots = excluded.snapshots

-- name: support_load
-- A record states this too, as a snapshot of its part or as an event.
insert into supports (statement, source, part, record)
select s.seq, s.source, iif(:snapshot, '=' || r.part, ''), r.seq
from statements s cross join records r
where s.seq = :statement and r.seq = :record

-- name: counter_forget
-- Nothing is known of the last number given.
delete from sqlite_sequence where name = :name

-- name: counter_load
-- This is the last number given.
insert into sqlite_sequence (name, seq) values (:name, :value)
