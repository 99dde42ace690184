-- How many records each source has in each state, and its newest times: kept beside the records, in their transactions.

create table tallies (
    source text primary key,
    connector text not null,
    pending integer not null,
    applied integer not null,
    quarantined integer not null,
    retracted integer not null,
    last_received integer not null,
    last_known integer not null,
    last_applied integer -- when the newest of the applied ones was received
) strict, without rowid;

insert into tallies
select source, max(connector),
    count(*) filter (where state = 'pending'), count(*) filter (where state = 'applied'),
    count(*) filter (where state = 'quarantined'), count(*) filter (where state = 'retracted'),
    max(received_at), max(known_at), max(received_at) filter (where state = 'applied')
from records group by source;
