-- oldest-build: 0003
-- Which version of the engine decides. It is of the cell and read with every tenant's rows, in the snapshot of its
-- revisions: replicas of two builds never decide by two engines. Null in a cell that was there before: every build decides.
alter table cell add column engine text check (engine ~ '^[0-9A-Za-z.+-]{1,64}$');
