-- Nobody but the one writer claims, and a new writer claims anew: no need to write that down.

alter table records drop column claimed_until;
