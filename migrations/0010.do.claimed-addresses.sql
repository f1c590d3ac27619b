-- What documents claim is compared with identities, and with what other users claim, by the user to whom a SIP server leads:
-- `sip:dora@example.com;x=1` and `sips:dora@example.com:5061` lead to the subscriber `sip:dora@example.com`.

-- Who changes claims or identities waits until all of this is there.
select pg_advisory_xact_lock(hashtextextended('xcapd.claims', 0));

-- To whom a URI in its one form leads. User and host, without scheme, port, parameters and headers (RFC 3261 §19.1.1), nor
-- parameters in the name of the user. A telephone number without visual separators: a global one is that of one subscriber,
-- whoever serves it (RFC 3261 §19.1.6, TS 23.003 §13.4), and one with a domain as its context is a name in that domain
-- (RFC 3966 §5.1.5). Of URIs in other schemes the URI.
create function xcapd.address_of(p_uri text) returns text
language plpgsql
immutable strict parallel safe
as $$
declare
  v_rest constant text := substring(p_uri from '^(?:sips?|im|pres|xmpp|mailto):(.*)$');
  v_behind_at constant text := split_part(v_rest, '@', -1);
  v_host constant text := substring(v_behind_at from '^(\[[^]]*\]?|[^:;?/#]*)');
  v_user text;
  v_context text;
begin
  if v_rest = v_behind_at then
    return 'sip:' || v_host;
  elsif v_rest is not null then
    v_user := left(v_rest, length(v_rest) - length(v_behind_at) - 1);
    v_user := coalesce(substring(v_user from '^[^;]+'), v_user);
    if v_user ~ '^[+]?(?:[-.()*0-9]|%23)+$' then
      v_user := translate(v_user, '-.()', '');
    end if;
    return case when v_user ~ '^[+][0-9]+$' then 'tel:' || v_user else 'sip:' || v_user || '@' || v_host end;
  end if;
  v_user := substring(p_uri from '^tel:([^;]*)');
  if v_user is null then
    return p_uri;
  end if;
  v_context := rtrim(substring(p_uri from ';phone-context=([^;]*)'), '.');
  return case
    when v_user like '+%' or v_context is null then 'tel:' || v_user
    when v_context like '+%' then 'tel:' || v_user || ';phone-context=' || v_context
    else 'sip:' || replace(v_user, '#', '%23') || '@' || v_context
  end;
end;
$$;

create index claims_by_address on xcapd.claims (xcapd.address_of(uri));
create index identities_by_address on xcapd.identities (xcapd.address_of(identity));
create index documents_by_address on xcapd.documents (xcapd.address_of(xui));

-- Whose address it is: that of the user himself, whatever is beside it.
create function xcapd.has_address(p_xui text, p_address text) returns boolean
language sql
as $$
  select p_address = xcapd.address_of(p_xui)
    or exists (
      select from xcapd.identities where xui = p_xui and xcapd.address_of(identities.identity) = p_address
    )
$$;

-- The URIs that a document cannot claim. By the URI: those that another document claims, and those of users, also of the
-- owner. By the address: what another user claims, and what is another user's, unless it is the owner's as well. What the
-- document claims already stays its own, unless this migration found it to be somebody else's.
create function xcapd.taken_uris(p_xui text, p_auid text, p_path text, p_uris text[]) returns text[]
language sql
as $$
  select array_agg(wanted.uri)
    from unnest(p_uris) as wanted (uri), lateral xcapd.address_of(wanted.uri) as address
    where exists (
        select from xcapd.claims
        where claims.uri = wanted.uri and (claims.xui, claims.auid, claims.path) <> (p_xui, p_auid, p_path)
      )
      or wanted.uri = p_xui
      or exists (select from xcapd.documents where documents.xui = wanted.uri)
      or exists (select from xcapd.identities where identities.identity = wanted.uri)
      or (
        not exists (
          select from xcapd.claims
          where claims.uri = wanted.uri
            and not exists (select from xcapd.kept_spellings where kind = 'claim' and spelling = wanted.uri)
        )
        and (
          exists (
            select from xcapd.claims
            where xcapd.address_of(claims.uri) = address and claims.xui <> p_xui
          )
          or (
            (
              exists (select from xcapd.documents where xcapd.address_of(documents.xui) = address)
              or exists (select from xcapd.identities where xcapd.address_of(identities.identity) = address)
            )
            and not xcapd.has_address(p_xui, address)
          )
        )
      )
$$;

-- What is claimed already and would be refused now, with what is in its way. Of two claims the shorter URI stays the first.
insert into xcapd.kept_spellings (kind, spelling, canonical)
  select 'claim', claims.uri, min(others.uri)
    from xcapd.claims, lateral xcapd.address_of(claims.uri) as address, lateral (
      select earlier.uri from xcapd.claims as earlier
        where xcapd.address_of(earlier.uri) = address and earlier.xui <> claims.xui
          and (length(earlier.uri), earlier.uri) < (length(claims.uri), claims.uri)
      union all
      select names.name from (
          select xui as name from xcapd.documents where xcapd.address_of(documents.xui) = address
          union all
          select identity from xcapd.identities where xcapd.address_of(identities.identity) = address
        ) as names
        where not xcapd.has_address(claims.xui, address)
    ) as others (uri)
    group by claims.uri
  on conflict (kind, spelling) do nothing;

-- As in migration 6, but for how it finds out what is taken.
create or replace function xcapd.write(
  p_xui text,
  p_auid text,
  p_path text,
  p_expected_tag text,
  p_new_tag text,
  p_content text,
  p_author text,
  p_node text,
  p_history integer,
  p_is_subscriber boolean,
  p_uris text[],
  p_elements text[],
  p_maximal_documents bigint,
  p_maximal_bytes bigint,
  p_flaw text,
  p_audit jsonb,
  out swapped boolean,
  out taken text[],
  out exceeded text,
  out home text
)
language plpgsql
as $$
declare
  -- What is kept of the documents that a user has deleted.
  c_gone_bytes constant bigint := 10485760;
  c_gone_versions constant integer := 1000;
  c_gone_age constant interval := interval '90 days';
  v_now constant timestamptz := clock_timestamp();
  v_claims_change boolean := false;
  v_listing_changes boolean := false;
  v_creates constant boolean := p_content is not null and p_expected_tag is null;
  v_owner text;
  v_current_tag text;
  v_old_bytes bigint;
  v_documents bigint;
  v_bytes bigint;
  v_version bigint;
  v_last bigint;
begin
  swapped := false;

  if p_uris is not null then
    -- If another write of this document comes in between, the tag is no longer the expected one, and nothing is written.
    select coalesce(bool_or(true), false), coalesce(bool_or(old.element is not null or new.element is not null), false)
      into v_claims_change, v_listing_changes
      from (select uri, element from xcapd.claims where xui = p_xui and auid = p_auid and path = p_path) old
      full join unnest(p_uris, p_elements) as new (uri, element) on new.uri = old.uri
      where new.uri is null or old.uri is null or new.element is distinct from old.element;
  end if;
  if v_claims_change then
    -- Who changes claims (or identities of subscribers) does so alone until the end of the transaction: two documents that
    -- exchange URIs would wait for each other otherwise.
    perform pg_advisory_xact_lock(hashtextextended('xcapd.claims', 0));
  elsif v_creates and p_xui <> '' and not p_is_subscriber then
    -- Meanwhile nobody claims the address of this user.
    perform pg_advisory_xact_lock_shared(hashtextextended('xcapd.claims', 0));
  end if;

  if p_xui <> '' then
    perform pg_advisory_xact_lock_shared(xcapd.home_lock(p_xui));
    select xui into v_owner from xcapd.identities where identity = p_xui;
    if v_owner <> p_xui then
      home := 'moved';
      return;
    elsif v_owner is null and p_is_subscriber then
      home := 'gone';
      return;
    elsif v_owner is null and v_creates
      and exists (
        select from xcapd.claims
        where xcapd.address_of(claims.uri) = xcapd.address_of(p_xui) and claims.xui <> p_xui
      )
      and not exists (select from xcapd.documents where xui = p_xui)
    then
      home := 'claimed';
      return;
    end if;
  end if;

  if v_claims_change then
    taken := xcapd.taken_uris(p_xui, p_auid, p_path, p_uris);
    if taken is not null then
      return;
    end if;
  end if;

  if p_content is not null and (p_maximal_documents is not null or p_maximal_bytes is not null) then
    -- Writers of one user take turns until the end of the transaction, so that each counts what the others wrote.
    perform pg_advisory_xact_lock(hashtextextended('xcapd.quota ' || p_xui, 0));
    select entity_tag, octet_length(content) into v_current_tag, v_old_bytes
      from xcapd.documents where xui = p_xui and auid = p_auid and path = p_path;
    -- A write on a version that is gone is not swapped, whatever the quota says. Shrinking always works.
    if v_current_tag is not distinct from p_expected_tag
      and (v_old_bytes is null or octet_length(p_content) > v_old_bytes)
    then
      select count(*), coalesce(sum(octet_length(content)), 0) into v_documents, v_bytes
        from xcapd.documents where xui = p_xui;
      exceeded := case
        when v_old_bytes is null and v_documents >= p_maximal_documents then 'documents'
        when v_bytes - coalesce(v_old_bytes, 0) + octet_length(p_content) > p_maximal_bytes then 'bytes'
      end;
      if exceeded is not null then
        return;
      end if;
    end if;
  end if;

  if p_content is null then
    delete from xcapd.documents
      where xui = p_xui and auid = p_auid and path = p_path and entity_tag = p_expected_tag
      returning version + 1 into v_version;
  elsif v_creates then
    -- A document that comes back goes on with its history.
    select coalesce(max(version), 0) into v_last
      from xcapd.document_versions where xui = p_xui and auid = p_auid and path = p_path;
    insert into xcapd.documents (xui, auid, path, entity_tag, version, content, changed_at)
      values (p_xui, p_auid, p_path, p_new_tag, v_last + 1, p_content, v_now)
      on conflict (xui, auid, path) do nothing
      returning version into v_version;
    if v_version is not null then
      -- Where the insertion waited for a deletion to commit, that left a record which was not there before.
      select coalesce(max(version), 0) into v_last
        from xcapd.document_versions where xui = p_xui and auid = p_auid and path = p_path;
      if v_last >= v_version then
        v_version := v_last + 1;
        update xcapd.documents set version = v_version where xui = p_xui and auid = p_auid and path = p_path;
      end if;
    end if;
  else
    update xcapd.documents
      set entity_tag = p_new_tag, version = version + 1, content = p_content, changed_at = v_now
      where xui = p_xui and auid = p_auid and path = p_path and entity_tag = p_expected_tag
      returning version into v_version;
  end if;
  if v_version is null then
    return;
  end if;

  if p_history > 0 then
    insert into xcapd.document_versions
      (xui, auid, path, version, previous_tag, entity_tag, content, author, node, changed_at)
      values (p_xui, p_auid, p_path, v_version, p_expected_tag, p_new_tag, p_content, p_author, p_node, v_now);
  end if;
  if v_version > p_history then
    delete from xcapd.document_versions
      where xui = p_xui and auid = p_auid and path = p_path and version <= v_version - p_history;
  end if;
  if p_content is null and p_xui <> '' then
    -- Documents under ever new names would fill the disk. The latest of what is gone stays.
    delete from xcapd.document_versions as old using (
      select auid, path, version, changed_at,
          row_number() over latest as place,
          sum(coalesce(octet_length(content), 0)) over latest as bytes
        from xcapd.document_versions as kept
        where xui = p_xui and not exists (
          select from xcapd.documents
          where documents.xui = kept.xui and documents.auid = kept.auid and documents.path = kept.path
        )
        window latest as (order by changed_at desc, auid, path, version desc)
    ) as gone
      where old.xui = p_xui and (old.auid, old.path, old.version) = (gone.auid, gone.path, gone.version)
        and (gone.place > c_gone_versions
          or gone.bytes > coalesce(p_maximal_bytes, c_gone_bytes)
          or gone.changed_at < v_now - c_gone_age);
  end if;

  if v_claims_change then
    delete from xcapd.claims where xui = p_xui and auid = p_auid and path = p_path;
    if p_content is not null then
      insert into xcapd.claims (uri, xui, auid, path, element)
        select uri, p_xui, p_auid, p_path, element from unnest(p_uris, p_elements) as new (uri, element);
    end if;
    if v_listing_changes then
      insert into xcapd.listed_claims_revisions (auid, revision) values (p_auid, p_new_tag)
        on conflict (auid) do update set revision = excluded.revision;
    end if;
  end if;
  if p_flaw is not null then
    insert into xcapd.flagged_documents (xui, auid, path, entity_tag, reason)
      values (p_xui, p_auid, p_path, p_new_tag, p_flaw)
      on conflict (xui, auid, path) do update set entity_tag = excluded.entity_tag, reason = excluded.reason;
  end if;
  if p_audit is not null then
    insert into xcapd.audit_records (actor, action, subject, details)
      values (p_audit->>'actor', p_audit->>'action', p_audit->>'subject', p_audit->'details');
  end if;
  swapped := true;
end;
$$;

-- The function has the arguments that programs from 8 on give, and compares for them as well. Those before 10 end the claims to
-- an identity that they add only where they are spelled like it.
insert into xcapd.compatible_programs (migration, oldest) values (10, 8);
