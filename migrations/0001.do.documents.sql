-- Documents and their history. Everything that belongs to a user is keyed by the XUI first, so that the same schema
-- shards by user. The global tree has the empty XUI. Paths are percent-encoded, their segments joined by '/'.

create schema if not exists xcapd;

create table xcapd.documents (
  xui text not null,
  auid text not null,
  path text not null,
  entity_tag text not null,
  version bigint not null,
  content text not null,
  changed_at timestamptz not null,
  primary key (xui, auid, path)
) with (fillfactor = 80);

-- One record for each committed change. The content is null where the document was deleted.
create table xcapd.document_versions (
  xui text not null,
  auid text not null,
  path text not null,
  version bigint not null,
  previous_tag text,
  entity_tag text not null,
  content text,
  author text not null,
  node text not null,
  changed_at timestamptz not null,
  primary key (xui, auid, path, version)
);

-- The one way to write: replaces the version that has the expected tag (null: there is no document), records the
-- change and forgets versions behind the last p_history. A null content deletes. Returns whether the swap took place.
create function xcapd.write_document(
  p_xui text,
  p_auid text,
  p_path text,
  p_expected_tag text,
  p_new_tag text,
  p_content text,
  p_author text,
  p_node text,
  p_history integer
) returns boolean
language plpgsql
as $$
declare
  v_version bigint;
  v_now constant timestamptz := clock_timestamp();
begin
  if p_content is null then
    delete from xcapd.documents
      where xui = p_xui and auid = p_auid and path = p_path and entity_tag = p_expected_tag
      returning version + 1 into v_version;
  elsif p_expected_tag is null then
    insert into xcapd.documents (xui, auid, path, entity_tag, version, content, changed_at)
      values (
        p_xui, p_auid, p_path, p_new_tag,
        -- A document that comes back goes on with its history.
        1 + coalesce(
          (select max(version) from xcapd.document_versions where xui = p_xui and auid = p_auid and path = p_path), 0
        ),
        p_content, v_now
      )
      on conflict (xui, auid, path) do nothing
      returning version into v_version;
  else
    update xcapd.documents
      set entity_tag = p_new_tag, version = version + 1, content = p_content, changed_at = v_now
      where xui = p_xui and auid = p_auid and path = p_path and entity_tag = p_expected_tag
      returning version into v_version;
  end if;

  if v_version is null then
    return false;
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
  return true;
end;
$$;
