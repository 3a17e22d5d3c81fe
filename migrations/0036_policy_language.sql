-- oldest-build: 0003
-- What a version of a policy is written in, to be told in lists, where its document is not read: it may have megabytes, and
-- of a policy in another language the number of rules says nothing. Null where a build published it that did not write this down.
alter table policy_version add column language text;
