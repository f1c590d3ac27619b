-- Writes of many requests in one statement and one commit: what each of them waits for is the disk, and the disk is asked
-- once. One row comes back for each write, which has its place in the arrays, and means what `xcapd.write` returns. Writes
-- that change claims do not come this way.
--
-- Homes are locked in the order of those who move or erase several of them, so that nobody waits crosswise. Whoever holds one
-- of them for long must not keep the writes of all others waiting: the statement fails then, and nothing of it is written.
create function xcapd.write_documents(
  p_xuis text[],
  p_auids text[],
  p_paths text[],
  p_expected_tags text[],
  p_new_tags text[],
  p_contents text[],
  p_authors text[],
  p_are_subscribers boolean[],
  p_maximal_documents bigint[],
  p_maximal_bytes bigint[],
  p_flaws text[],
  p_audits jsonb[],
  p_node text,
  p_history integer
)
returns table (place integer, swapped boolean, exceeded text, home text)
language plpgsql
set lock_timeout = '250ms'
as $$
declare
  v_write record;
begin
  if exists (
    select from unnest(p_xuis, p_expected_tags, p_contents, p_are_subscribers)
      as creation (xui, expected_tag, content, is_subscriber)
    where xui <> '' and expected_tag is null and content is not null and not is_subscriber
  ) then
    -- As in xcapd.write, but before the first home: names come before homes.
    perform pg_advisory_xact_lock_shared(hashtextextended('xcapd.claims', 0));
  end if;
  for v_write in
    select * from unnest(
      p_xuis, p_auids, p_paths, p_expected_tags, p_new_tags, p_contents, p_authors, p_are_subscribers,
      p_maximal_documents, p_maximal_bytes, p_flaws, p_audits
    ) with ordinality as writes (
      xui, auid, path, expected_tag, new_tag, content, author, is_subscriber,
      maximal_documents, maximal_bytes, flaw, audit, place
    )
    order by xcapd.home_lock(xui), xui, auid, path
  loop
    place := v_write.place;
    select written.swapped, written.exceeded, written.home into swapped, exceeded, home
      from xcapd.write(
        v_write.xui, v_write.auid, v_write.path, v_write.expected_tag, v_write.new_tag, v_write.content,
        v_write.author, p_node, p_history, v_write.is_subscriber, null, null,
        v_write.maximal_documents, v_write.maximal_bytes, v_write.flaw, v_write.audit
      ) as written;
    return next;
  end loop;
end;
$$;

-- Programs before it do not know of the function, and write one by one.
insert into xcapd.compatible_programs (migration, oldest) values (12, 8);
