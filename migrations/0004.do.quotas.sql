-- Quotas: how many documents one subscriber has, and how many bytes they have in all. Only writes of subscribers who have a
-- quota come here.

-- Writes as write_claiming_document does, or as write_document where p_uris is null, unless the documents of the subscriber
-- would then be more than he may have; null is no limit. Deleting and shrinking always work. What is exceeded ('documents' or
-- 'bytes') comes back, and nothing is written then.
create function xcapd.write_document_within_quota(
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
  p_maximal_documents bigint,
  p_maximal_bytes bigint,
  out swapped boolean,
  out taken text[],
  out exceeded text
)
language plpgsql
as $$
declare
  v_current_tag text;
  v_old_bytes bigint;
  v_documents bigint;
  v_bytes bigint;
begin
  if p_content is not null then
    -- Writers of one subscriber take turns until the end of the transaction, so that each counts what the others wrote. To
    -- be taken before the lock on claims, so that nobody waits crosswise.
    perform pg_advisory_xact_lock(hashtextextended('xcapd.quota ' || p_xui, 0));
    select entity_tag, octet_length(content) into v_current_tag, v_old_bytes
      from xcapd.documents where xui = p_xui and auid = p_auid and path = p_path;
    -- A write on a version that is gone is not swapped, whatever the quota says.
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
        swapped := false;
        return;
      end if;
    end if;
  end if;

  if p_uris is null then
    swapped := xcapd.write_document(
      p_xui, p_auid, p_path, p_expected_tag, p_new_tag, p_content, p_author, p_node, p_history
    );
  else
    select written.swapped, written.taken into swapped, taken
      from xcapd.write_claiming_document(
        p_xui, p_auid, p_path, p_expected_tag, p_new_tag, p_content, p_author, p_node, p_history, p_uris, p_elements
      ) as written;
  end if;
end;
$$;
