-- When an event occurred by its source's own clock, where its record says so: of two events the later one counts.

alter table records add column occurred_at integer;
