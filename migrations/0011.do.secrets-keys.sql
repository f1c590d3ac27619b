-- Which key the digest secrets are encrypted with, so that a server which has another one says so when it starts, and not at each
-- login. No key is in here.

create table xcapd.secrets_keys (
  -- Made of the key by a function that nobody can turn back (HMAC). Empty for the key of older programs, until a server has found
  -- that its key opens what is there.
  id text primary key,
  -- What is written gets this one. While keys are being exchanged, there are secrets of the other ones still.
  is_current boolean not null,
  since timestamptz not null default clock_timestamp()
);

create unique index secrets_keys_current on xcapd.secrets_keys (is_current) where is_current;

insert into xcapd.secrets_keys (id, is_current)
  select '', true where exists (select from xcapd.digest_secrets where ha1 like 'gcm:%');

insert into xcapd.compatible_programs (migration, oldest) values (11, 8);
