-- Subscribers: who they are, how they prove it, and what others may do for them. All that belongs to one subscriber goes
-- with his row. Identities sort by their bytes, so that an index serves prefixes and pages alike.

create table xcapd.subscribers (
  -- The canonical XUI below which his documents lie.
  xui text collate "C" primary key,
  -- The private identity (IMPI), where he has one.
  impi text unique,
  is_disabled boolean not null default false,
  -- The name of his profile, where he has one of his own.
  profile text,
  -- Limits of his own; null for those of the configuration.
  maximal_documents integer check (maximal_documents >= 0),
  maximal_bytes bigint check (maximal_bytes >= 0),
  created_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp()
);

-- Every public identity, the XUI among them.
create table xcapd.identities (
  identity text collate "C" primary key,
  xui text collate "C" not null references xcapd.subscribers on delete cascade
);

create index identities_by_subscriber on xcapd.identities (xui);

-- HA1 of RFC 7616 §3.4.2 for each name by which a subscriber logs in. Encrypted where the operator gave a key: the value says
-- so itself.
create table xcapd.digest_secrets (
  realm text not null,
  username text not null,
  algorithm text not null check (algorithm in ('MD5', 'SHA-256')),
  xui text collate "C" not null references xcapd.subscribers on delete cascade,
  ha1 text not null,
  primary key (realm, username, algorithm)
);

create index digest_secrets_by_subscriber on xcapd.digest_secrets (xui);

-- For HTTP Basic.
create table xcapd.password_hashes (
  xui text collate "C" primary key references xcapd.subscribers on delete cascade,
  hash text not null
);

-- What the owner of documents lets others do. A null AUID stands for all usages, a null path for all documents of one.
create table xcapd.grants (
  id uuid primary key default gen_random_uuid(),
  xui text collate "C" not null references xcapd.subscribers on delete cascade,
  grantee text collate "C" not null,
  auid text,
  path text,
  access text not null check (access in ('read', 'write')),
  expires_at timestamptz not null,
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  check (auid is not null or path is null)
);

create index grants_by_subscriber on xcapd.grants (xui, grantee);
create index grants_by_grantee on xcapd.grants (grantee);

-- Principals that are more than subscribers, beside the trusted elements of the configuration.
create table xcapd.roles (
  xui text collate "C" primary key,
  role text not null check (role in ('trusted-element', 'administrator', 'support'))
);

-- Keys that all processes share, made by whoever needs one first.
create table xcapd.server_keys (
  name text primary key,
  key bytea not null
);

-- Which counts of a nonce were used (RFC 7616 §3.4), for nonces that several processes see: the highest count, and a bit for
-- each of the 64 counts that end with it (bit n for the count `highest - n`). Lost in a crash, after which these nonces are
-- stale: only the process that made a nonce puts its row here, and only once.
create unlogged table xcapd.nonce_counts (
  nonce text primary key,
  highest bigint not null,
  used bigint not null,
  expires_at timestamptz not null
) with (fillfactor = 50);

create index nonce_counts_by_expiry on xcapd.nonce_counts (expires_at);

-- Puts a nonce into the table, and takes some out that have expired.
create function xcapd.share_nonce(
  p_nonce text,
  p_highest bigint,
  p_used bigint,
  p_expires_at timestamptz
) returns void
language sql
as $$
  delete from xcapd.nonce_counts where nonce in (
    select nonce from xcapd.nonce_counts
      where expires_at < clock_timestamp() - interval '1 minute'
      order by expires_at limit 20 for update skip locked
  );
  insert into xcapd.nonce_counts (nonce, highest, used, expires_at)
    values (p_nonce, p_highest, p_used, p_expires_at)
    on conflict (nonce) do nothing;
$$;

-- Whether this count was not used before; from now on it is. Null where the table does not have the nonce.
create function xcapd.use_nonce_count(p_nonce text, p_count bigint) returns boolean
language plpgsql
as $$
begin
  update xcapd.nonce_counts
    set
      highest = greatest(highest, p_count),
      used = case
        when p_count - highest >= 64 then 1
        when p_count > highest then (used << (p_count - highest)::integer) | 1
        else used | (1::bigint << (highest - p_count)::integer)
      end
    where nonce = p_nonce and case
      when p_count > highest then true
      when highest - p_count >= 64 then false
      else (used >> (highest - p_count)::integer) & 1 = 0
    end;
  if found then
    return true;
  end if;
  return (select false from xcapd.nonce_counts where nonce = p_nonce);
end;
$$;

-- Who did what when over the management API. No contents, no secrets.
create table xcapd.audit_records (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null,
  subject text not null,
  details jsonb not null default '{}'
);

create index audit_records_by_subject on xcapd.audit_records (subject, id);
-- Of a subscriber's identity that was taken away, no record is to keep the name.
create index audit_records_by_identity on xcapd.audit_records ((details->>'identity')) where details ? 'identity';

-- What others wrote into a user's documents: found by the writer when he is erased. Few versions are such.
create index document_versions_by_other_author on xcapd.document_versions (author) where author <> xui;
