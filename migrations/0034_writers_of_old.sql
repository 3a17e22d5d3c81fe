-- oldest-build: 0003
-- Writers that had been shut out, and all of whose records had gone with their partitions before any had a place: nothing
-- comes of them. They were looked at four times a second for ever, and would now be taken for writers whose last records
-- were removed.
update seq_cursor c set n = w.last_n, ended = true from writer w
where w.writer = c.writer and not w.alive and w.last_n > 0 and not c.ended and c.n = 0
  and not exists (select from record r where r.writer = c.writer);
