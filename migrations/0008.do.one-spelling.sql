-- URIs of users are kept in one form (RFC 3261 §19.1.4), which this migration's program makes of what is there: see
-- src/storage/respelling.ts. What cannot have it, because somebody else has it already, stays as it is and is listed here.

create table xcapd.kept_spellings (
  kind text not null check (kind in ('subscriber', 'identity', 'home', 'claim', 'role')),
  spelling text not null,
  -- The form in which requests ask for it, and which belongs to somebody else.
  canonical text not null,
  found_at timestamptz not null default clock_timestamp(),
  primary key (kind, spelling)
);

-- A subscriber may get another spelling with all that is theirs.
alter table xcapd.identities
  drop constraint identities_xui_fkey,
  add foreign key (xui) references xcapd.subscribers on delete cascade on update cascade;
alter table xcapd.digest_secrets
  drop constraint digest_secrets_xui_fkey,
  add foreign key (xui) references xcapd.subscribers on delete cascade on update cascade;
alter table xcapd.password_hashes
  drop constraint password_hashes_xui_fkey,
  add foreign key (xui) references xcapd.subscribers on delete cascade on update cascade;
alter table xcapd.grants
  drop constraint grants_xui_fkey,
  add foreign key (xui) references xcapd.subscribers on delete cascade on update cascade;

-- Older programs would write under other spellings.
insert into xcapd.compatible_programs (migration, oldest) values (8, 8);
