-- One function writes versions of documents, and takes locks in one order with whoever moves or erases the documents of a
-- user: first the one on names (claims and identities), then those on homes, then that on the quota of a user. Nobody waits
-- crosswise that way. The functions before it stay for programs that run while this migration is applied.

-- The lock on a home: shared by those who write below it, held alone by those who move or erase what is there.
create function xcapd.home_lock(p_xui text) returns bigint
language sql
immutable
as $$
  select hashtextextended('xcapd.home ' || p_xui, 0)
$$;

-- Replaces the version that has the expected tag (null: there is no document). A null content deletes. What is null is not
-- asked for, and costs nothing: claims, limits, the flaw of the version, the audit record. Nothing is written where one of
-- these comes back:
-- home: 'moved' where the home is that of another subscriber's identity now, 'gone' where the subscriber is, 'claimed' where
--   the first document of somebody who is no subscriber would lie below a URI that a document claims;
-- taken: URIs that other documents claim, or that are the address of a user;
-- exceeded: the limit ('documents' or 'bytes') that would be.
-- Otherwise swapped says whether the expected version was there.
create function xcapd.write(
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
      and exists (select from xcapd.claims where uri = p_xui)
      and not exists (select from xcapd.documents where xui = p_xui)
    then
      home := 'claimed';
      return;
    end if;
  end if;

  if v_claims_change then
    select array_agg(wanted.uri) into taken
      from unnest(p_uris) as wanted (uri)
      where wanted.uri = p_xui
        or exists (
          select from xcapd.claims
          where claims.uri = wanted.uri and (claims.xui, claims.auid, claims.path) <> (p_xui, p_auid, p_path)
        )
        or exists (select from xcapd.documents where documents.xui = wanted.uri)
        or exists (select from xcapd.identities where identities.identity = wanted.uri);
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
