-- oldest-build: 0003
-- By what replicas know of each other that they live.

-- A counter that its replica moves ten times a second. Whoever sees it stand still over many looks of its own shuts the
-- replica out: a clock would let an outage pass for everybody's death. A replica of a build that moves no counter has no
-- row here and is never suspected; one that was shut out has none any more.
create table heartbeat (
  replica uuid primary key references replica (id),
  beats bigint not null default 0
) with (fillfactor = 50);
grant select, insert, update (beats), delete on heartbeat to remit_runtime;
