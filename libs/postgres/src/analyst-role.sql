-- Who may ask in SQL, and what they can't do with it. Run in the database of the read models, as an administrator; again
-- changes nothing. `makuler up` runs it at every start; elsewhere an operator does, once (docs/analytics.md).
--
-- makuler_analyst is a group: the read model `analytics` grants it its views, and whoever is to see them becomes a member.
do $$
declare
  owner name := (select rolname from pg_database join pg_roles on pg_roles.oid = datdba where datname = current_database());
  routine regprocedure;
begin
  if not exists (select from pg_roles where rolname = 'makuler_analyst') then
    create role makuler_analyst nologin;
  end if;
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to makuler_analyst', current_database());
  revoke all on schema public from public;
  -- Every role may call these unless it is told otherwise: locks by which programs take turns (whoever held the projector's
  -- would stop the read models), large objects (a place to write into), and counters that move with each person.
  for routine in
    select oid::regprocedure from pg_proc
     where pronamespace = 'pg_catalog'::regnamespace
       and (proname ~ '^pg_(try_)?advisory_|^lo_' or proname in ('loread', 'lowrite', 'pg_notify')
            or proname ~ '^pg_stat_get_(xact_)?(tuples|live|dead|mod|ins|numscans|lastscan|blocks)'
            or proname ~ '^pg_(total_)?(relation|table|indexes)_size$|^pg_relation_filepath$')
  loop
    execute format('revoke execute on function %s from public', routine);
    execute format('grant execute on function %s to %I', routine, owner);
  end loop;
end $$;
