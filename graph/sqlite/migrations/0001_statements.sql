-- Times are microseconds since 1970 in UTC. An open end is the greatest integer, an open start the least.

create table sources (
    id integer primary key,
    name text not null unique,
    -- Whole snapshots seen to their end; facts first stated after one began when they were learned.
    snapshots integer not null default 0
) strict;

create table label_sets (
    id integer primary key,
    labels text not null unique -- sorted JSON array
) strict;

create table records (
    seq integer primary key autoincrement, -- order of arrival
    id text not null unique,
    source text not null,
    connector text not null,
    part text not null,
    body text not null,
    digest text not null,
    received_at integer not null,
    published_at integer,
    known_at integer not null,
    meta text not null, -- JSON object
    visibility integer not null references label_sets (id),
    state text not null,
    reason text not null,
    claimed_until integer not null default 0,
    -- An applied snapshot that does not count any more: a newer one of its part was applied, or the part was swept.
    lapsed integer not null default 0
) strict;

create index records_state on records (state, source, seq);
create index records_part on records (source, part, state, known_at);

create table statements (
    seq integer primary key autoincrement,
    source integer not null references sources (id),
    key blob, -- digest of what makes two statements versions of one; null where the stated thing has ended
    digest blob not null, -- of what was stated, its trust and its visibility
    kind text not null,
    trust integer not null,
    visibility integer not null references label_sets (id),
    record integer not null references records (seq),
    known_from integer not null,
    known_to integer not null,
    valid_from integer not null,
    valid_to integer not null,
    body blob not null
) strict;

create index statements_key on statements (source, key, known_from) where key is not null;
create index statements_record on statements (record);

-- Who states a statement now: a part of a snapshot by its latest record, or events, each by its own.
create table supports (
    statement integer not null references statements (seq),
    source integer not null references sources (id),
    part text not null, -- `=` and the part of a snapshot; empty for an event
    record integer not null references records (seq),
    primary key (statement, part, record)
) strict, without rowid;

create index supports_part on supports (source, part, statement);
create index supports_record on supports (record);

-- What statements are found by: a field (`change.service`, `fact.owned_by.subject`, ...) and its text.
create table names (
    id integer primary key,
    field text not null,
    text text not null,
    unique (field, text)
) strict;

create table entries (
    name integer not null references names (id),
    at integer not null,
    statement integer not null references statements (seq),
    primary key (name, at, statement)
) strict, without rowid;

create index entries_statement on entries (statement);

create table feed (
    seq integer primary key,
    op text not null,
    statement integer not null
) strict;

create index feed_statement on feed (statement);

create table kept (
    shelf text not null,
    key text not null,
    body blob not null,
    primary key (shelf, key)
) strict;

create table kept_records (
    shelf text not null,
    key text not null,
    record integer not null references records (seq),
    primary key (record, shelf, key)
) strict, without rowid;

create index kept_records_key on kept_records (shelf, key);
