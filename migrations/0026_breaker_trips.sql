-- oldest-build: 0003
-- What opened a breaker, for operators who look: no other trail holds a list, and no text in one holds these characters.
create index record_trip on record (tenant, id) where trail like '%,["%';
