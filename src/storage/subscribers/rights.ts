/** Credentials, grants and roles: how a subscriber proves who they are, and who may do more than they. */
import type {
  CredentialRegister,
  GrantRegister,
  RoleRegister,
  StoredCredentials,
} from '../../subscribers/register.js';
import type { Xui } from '../../xcap/terms.js';
import { appendAuditRecords } from '../audit-trail.js';
import type { Query } from '../database.js';
import { checkFree, insertCredentials, usernamePossessions } from './creation.js';
import { isSubscriber } from './records.js';
import { grantColumns, grantOf, type DigestSecretRow, type GrantRow, type RoleRow } from './rows.js';
import type { SealSecrets } from '../secrets/secrets-keys.js';
import { lockNames, pageOf, type Transactions } from '../transactions.js';

export function openCredentialRegister(
  { query, inTransaction }: Transactions,
  seal: SealSecrets,
): CredentialRegister {
  return {
    setCredentials: (xui, credentials, actor) =>
      inTransaction(async (query) => {
        await lockNames(query);
        if (!(await isSubscriber(query, xui))) return false;
        await query({ text: 'delete from xcapd.digest_secrets where xui = $1', values: [xui] });
        await query({ text: 'delete from xcapd.password_hashes where xui = $1', values: [xui] });
        await checkFree(query, usernamePossessions(credentials));
        await insertCredentials(query, seal, [{ xui, credentials }]);
        const isNone = credentials.digest.length === 0 && credentials.passwordHash === undefined;
        const action = isNone ? 'credentials.remove' : 'credentials.set';
        await appendAuditRecords(query, [{ actor, action, subject: xui, details: {} }]);
        return true;
      }),
    credentials: (xuis) => readCredentials(query, xuis),
  };
}

async function readCredentials(query: Query, xuis: readonly Xui[]): Promise<Map<Xui, StoredCredentials>> {
  const [secrets, hashes] = await Promise.all([
    query<DigestSecretRow>({
      text:
        'select xui, realm, username, algorithm, ha1 from xcapd.digest_secrets where xui = any($1::text[]) ' +
        'order by realm, username, algorithm',
      values: [xuis],
    }),
    query<{ xui: string; hash: string }>({
      text: 'select xui, hash from xcapd.password_hashes where xui = any($1::text[])',
      values: [xuis],
    }),
  ]);
  const hashOf = new Map(hashes.map(({ xui, hash }) => [xui, hash]));
  const secretsOf = new Map<Xui, StoredCredentials['digest'][number][]>(xuis.map((xui) => [xui, []]));
  for (const { xui, realm, username, algorithm, ha1 } of secrets) {
    secretsOf.get(xui)?.push({ realm, username, algorithm, ha1 });
  }
  return new Map([...secretsOf].map(([xui, digest]) => [xui, { digest, passwordHash: hashOf.get(xui) }]));
}

export function openGrantRegister({ query, inTransaction }: Transactions): GrantRegister {
  return {
    createGrant: (grant, actor) =>
      inTransaction(async (query) => {
        if (!(await isSubscriber(query, grant.owner))) return undefined;
        const [row] = await query<GrantRow>({
          text:
            'insert into xcapd.grants (xui, grantee, auid, path, access, expires_at, created_by) ' +
            `values ($1, $2, $3, $4, $5, $6, $7) returning ${grantColumns}`,
          values: [grant.owner, grant.grantee, grant.auid, grant.path, grant.access, grant.expiresAt, actor],
        });
        if (row === undefined) return undefined;
        // Not the grantee: their erasure does not find them in records about others.
        const details = { grant: row.id };
        await appendAuditRecords(query, [{ actor, action: 'grant.create', subject: grant.owner, details }]);
        return grantOf(row);
      }),
    async listGrants(who, { after, limit }) {
      const [column, xui] = 'owner' in who ? ['xui', who.owner] : ['grantee', who.grantee];
      const rows = await query<GrantRow>({
        text:
          `select ${grantColumns} from xcapd.grants where ${column} = $1 ` +
          'and ($2::uuid is null or id > $2) order by id limit $3',
        values: [xui, after, limit + 1],
      });
      return pageOf(rows, limit, grantOf, ({ id }) => id);
    },
    deleteGrant: (owner, id, actor) =>
      inTransaction(async (query) => {
        const deleted = await query({
          text: 'delete from xcapd.grants where id = $1 and xui = $2 returning 1',
          values: [id, owner],
        });
        if (deleted.length === 0) return false;
        await appendAuditRecords(query, [
          { actor, action: 'grant.delete', subject: owner, details: { grant: id } },
        ]);
        return true;
      }),
  };
}

export function openRoleRegister({ query, inTransaction }: Transactions): RoleRegister {
  return {
    setRole: ({ xui, role }, actor) =>
      inTransaction(async (query) => {
        await query({
          text:
            'insert into xcapd.roles (xui, role) values ($1, $2) ' +
            'on conflict (xui) do update set role = excluded.role',
          values: [xui, role],
        });
        await appendAuditRecords(query, [{ actor, action: 'role.set', subject: xui, details: { role } }]);
      }),
    removeRole: (xui, actor) =>
      inTransaction(async (query) => {
        const removed = await query({
          text: 'delete from xcapd.roles where xui = $1 returning 1',
          values: [xui],
        });
        if (removed.length === 0) return false;
        await appendAuditRecords(query, [{ actor, action: 'role.remove', subject: xui, details: {} }]);
        return true;
      }),
    async roleOf(xui) {
      const [row] = await query<RoleRow>({
        text: 'select xui, role from xcapd.roles where xui = $1',
        values: [xui],
      });
      return row?.role;
    },
    async listRoles({ after, limit }) {
      const rows = await query<RoleRow>({
        text: 'select xui, role from xcapd.roles where $1::text is null or xui > $1 order by xui limit $2',
        values: [after, limit + 1],
      });
      return pageOf(
        rows,
        limit,
        ({ xui, role }) => ({ xui, role }),
        ({ xui }) => xui,
      );
    },
  };
}
