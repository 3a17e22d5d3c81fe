-- oldest-build: 0003
-- What the ledger is asked for: the decisions of a tenant by their time, which their ids sort by.
create index record_decision on record (tenant, id) where kind = 'decision';
