-- The latest requests on the documents of each subscriber, for whoever asks why one failed. Unlogged: what is lost in a crash of
-- the database is missed by nobody, and writing it waits for no disk.

create unlogged table xcapd.requests (
  -- Whose documents: not by a foreign key, which would write to the row of the subscriber for each request.
  xui text collate "C" not null,
  id bigint not null generated always as identity,
  at timestamptz not null,
  status integer not null,
  -- The identity that asked; null where nobody knows, and where it is that of somebody who was erased.
  asker text collate "C",
  facts jsonb not null,
  primary key (xui, id)
);

create index requests_by_asker on xcapd.requests (asker);

-- What is erased takes its traces along, whichever program erases it. Who adds requests holds this lock shared from before he
-- looks who is there, so that none is added for somebody who is being erased.
create function xcapd.forget_requests() returns trigger
language plpgsql
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('xcapd.requests', 0));
  if tg_table_name = 'subscribers' then
    delete from xcapd.requests where xui in (select xui from gone);
  else
    update xcapd.requests set asker = null where asker in (select identity from gone);
  end if;
  return null;
end
$$;

create trigger forget_requests after delete on xcapd.subscribers
referencing old table as gone for each statement execute function xcapd.forget_requests();

create trigger forget_requests after delete on xcapd.identities
referencing old table as gone for each statement execute function xcapd.forget_requests();

insert into xcapd.compatible_programs (migration, oldest) values (9, 8);
