-- URIs that documents claim, unique over all documents of all users. A claim is written with the version of the document
-- that makes it, in one transaction, and goes with the document. Claims are by their nature global: they do not shard by
-- user.

create table xcapd.claims (
  uri text primary key,
  xui text not null,
  auid text not null,
  path text not null,
  -- The text of the element that gets the URI, where the document generated from claims lists it.
  element text,
  foreign key (xui, auid, path) references xcapd.documents on delete cascade on update cascade
);

create index claims_by_document on xcapd.claims (xui, auid, path);
create index listed_claims on xcapd.claims (auid, uri) where element is not null;

-- A new revision whenever the listed elements of a usage change, so that a reader knows without reading them.
create table xcapd.listed_claims_revisions (
  auid text primary key,
  revision text not null
);

-- Writes as write_document does, and replaces the claims of the document. URIs that other documents claim or that are the
-- address of a user (the owner, one who has documents, or a subscriber) come back as taken; then nothing is written.
create function xcapd.write_claiming_document(
  p_xui text,
  p_auid text,
  p_path text,
  p_expected_tag text,
  p_new_tag text,
  p_content text,
  p_author text,
  p_node text,
  p_history integer,
  p_uris text[],
  p_elements text[],
  out swapped boolean,
  out taken text[]
)
language plpgsql
as $$
declare
  v_claims_change boolean;
  v_listing_changes boolean;
begin
  -- If another write of this document comes in between, the tag is no longer the expected one, and nothing is written.
  select coalesce(bool_or(true), false), coalesce(bool_or(old.element is not null or new.element is not null), false)
    into v_claims_change, v_listing_changes
    from (select uri, element from xcapd.claims where xui = p_xui and auid = p_auid and path = p_path) old
    full join unnest(p_uris, p_elements) as new (uri, element) on new.uri = old.uri
    where new.uri is null or old.uri is null or new.element is distinct from old.element;

  if v_claims_change then
    -- Who changes claims (or identities of subscribers) does so alone until the end of the transaction: two documents that
    -- exchange URIs would wait for each other otherwise.
    perform pg_advisory_xact_lock(hashtextextended('xcapd.claims', 0));
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
      swapped := false;
      return;
    end if;
  end if;

  swapped := xcapd.write_document(
    p_xui, p_auid, p_path, p_expected_tag, p_new_tag, p_content, p_author, p_node, p_history
  );

  if swapped and v_claims_change then
    delete from xcapd.claims where xui = p_xui and auid = p_auid and path = p_path;
    insert into xcapd.claims (uri, xui, auid, path, element)
      select uri, p_xui, p_auid, p_path, element from unnest(p_uris, p_elements) as new (uri, element);
    if v_listing_changes then
      insert into xcapd.listed_claims_revisions (auid, revision) values (p_auid, p_new_tag)
        on conflict (auid) do update set revision = excluded.revision;
    end if;
  end if;
end;
$$;
