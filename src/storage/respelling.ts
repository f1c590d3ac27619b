/**
 * Brings what is stored under the URIs of users to their one form (`canonicalXui`), once, with migration 8. Nothing is lost:
 * what cannot have the form because somebody else has it stays as it is, and is listed in `xcapd.kept_spellings`.
 */
import type { Query } from './database.js';
import { respellAuthors, respellClaims, respellHomes } from './documents/document-respelling.js';
import {
  columnsOf,
  isFreeOf,
  replace,
  respellings,
  type KeptSpelling,
  type Outcome,
  type Respelling,
} from './spellings.js';

/** In a transaction, in which nobody else writes. */
export async function respell(query: Query): Promise<void> {
  await query({
    text:
      'lock table xcapd.subscribers, xcapd.identities, xcapd.documents, xcapd.document_versions, xcapd.claims, ' +
      'xcapd.grants, xcapd.roles in share row exclusive mode',
  });
  const identities = await respellIdentities(query);
  const homes = await respellHomes(query);
  const own = [...identities.respelled, ...homes.respelled];
  const kept = [...identities.kept, ...homes.kept];
  await respellTraces(query, own, new Set(kept.map(({ spelling }) => spelling)));
  kept.push(...(await respellClaims(query)), ...(await respellRoles(query, identities.kept)));
  await query({
    text:
      'insert into xcapd.kept_spellings (kind, spelling, canonical) ' +
      'select * from unnest($1::text[], $2::text[], $3::text[])',
    values: [kept.map(({ kind }) => kind), ...columnsOf(kept)],
  });
}

/** What stayed as it is in this transaction: sentences that tell an operator of it. */
export async function sentencesOnKept(query: Query): Promise<string[]> {
  const kept = await query<KeptSpelling>({
    text: 'select kind, spelling, canonical from xcapd.kept_spellings where found_at >= now() order by kind, spelling',
  });
  return kept.map(
    ({ kind, spelling, canonical }) =>
      `The ${kind} '${spelling}' stays as it is, though '${canonical}', which leads to the same user, belongs to another one.`,
  );
}

/** Identities, and subscribers with their main ones. Two spellings that one subscriber has become one. */
async function respellIdentities(query: Query): Promise<Outcome> {
  const outcome: Outcome = { respelled: [], kept: [] };
  const names = 'select identity as name from xcapd.identities where identity > $1 order by 1 limit $2';
  for (const respelling of await respellings(query, names)) {
    const { spelling, canonical } = respelling;
    const [state] = await query<{ xui: string; owner: string | null; is_claimed: boolean }>({
      text:
        'select xui, (select xui from xcapd.identities as others where others.identity = $2) as owner, ' +
        'exists (select from xcapd.claims where uri = $2) as is_claimed ' +
        'from xcapd.identities where identity = $1',
      values: [spelling, canonical],
    });
    if (state === undefined) continue;
    const isMain = state.xui === spelling;
    if (state.is_claimed || (state.owner !== null && state.owner !== state.xui)) {
      outcome.kept.push({ kind: isMain ? 'subscriber' : 'identity', ...respelling });
      continue;
    }
    const values = [spelling, canonical];
    if (isMain) await query({ text: 'update xcapd.subscribers set xui = $2 where xui = $1', values });
    await query(
      state.owner === null
        ? { text: 'update xcapd.identities set identity = $2 where identity = $1', values }
        : { text: 'delete from xcapd.identities where identity = $1', values: [spelling] },
    );
    outcome.respelled.push(respelling);
  }
  return outcome;
}

/** What names users and has no need to be unique. A spelling that somebody kept still means them. */
async function respellTraces(
  query: Query,
  own: readonly Respelling[],
  kept: ReadonlySet<string>,
): Promise<void> {
  await respellAuthors(query, kept);
  const grantees = await respellings(
    query,
    'select distinct grantee as name from xcapd.grants where grantee > $1 order by 1 limit $2',
  );
  await replace(query, 'grants', 'grantee', grantees.filter(isFreeOf(kept)));
  await replace(query, 'audit_records', 'subject', own);
  await query({
    text:
      "update xcapd.audit_records set details = details || jsonb_build_object('identity', changes.canonical) " +
      'from unnest($1::text[], $2::text[]) as changes (spelling, canonical) ' +
      "where details->>'identity' = changes.spelling and details ? 'identity'",
    values: columnsOf(own),
  });
}

async function respellRoles(query: Query, others: readonly KeptSpelling[]): Promise<KeptSpelling[]> {
  const kept: KeptSpelling[] = [];
  const isOthers = new Set(others.map(({ spelling }) => spelling));
  const names = 'select xui as name from xcapd.roles where xui > $1 order by 1 limit $2';
  for (const respelling of await respellings(query, names)) {
    const rows = await query({
      text:
        'update xcapd.roles set xui = $2 where xui = $1 and not $3 ' +
        'and not exists (select from xcapd.roles as others where others.xui = $2) returning 1',
      values: [respelling.spelling, respelling.canonical, isOthers.has(respelling.spelling)],
    });
    if (rows.length === 0) kept.push({ kind: 'role', ...respelling });
  }
  return kept;
}
