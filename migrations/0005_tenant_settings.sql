-- oldest-build: 0003
-- What a tenant is set to, and who may administer the tenants of a cell.

-- `observe_agents`: objects of labels; agents that carry all labels of one are observed and not stopped. `quotas`:
-- numbers by name; what is not named has the service's own limit.
alter table tenant
  add column mode text not null default 'enforce' check (mode in ('enforce', 'observe')),
  add column observe_agents jsonb not null default '[]' check (jsonb_typeof(observe_agents) = 'array'),
  add column quotas jsonb not null default '{}' check (jsonb_typeof(quotas) = 'object');
grant update (mode, observe_agents, quotas) on tenant to remit_runtime;

-- Administering tenants is a power of its own, apart from owning one. Callers of the first tenant alone can hold it.
alter table caller add constraint caller_cell_operator
  check (tenant = 'default' or not ('cell-operator' = any (roles)));
-- Until now the first owner was the one who could do everything.
update caller set roles = array_append(roles, 'cell-operator')
 where id = (select id from caller where tenant = 'default' and 'owner' = any (roles) and not revoked
              order by created_at, id limit 1);
