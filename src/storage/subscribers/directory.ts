/** What requests ask about subscribers, from PostgreSQL. Answers are kept for two seconds, so that most ask nobody. */
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type {
  DigestSecret,
  Grant,
  Role,
  Subscriber,
  SubscriberDirectory,
} from '../../subscribers/subscriber.js';
import type { Xui } from '../../xcap/terms.js';
import type { Query } from '../database.js';
import type { PipelinedClient } from '../pipelined-client.js';
import { orUnavailable } from '../database.js';
import {
  digestSecretOf,
  grantColumns,
  grantOf,
  subscriberColumns,
  subscriberOf,
  type DigestSecretRow,
  type GrantRow,
  type RoleRow,
  type SubscriberRow,
} from './rows.js';

/** How old an answer may be: a subscriber who is disabled, or a new password, is known everywhere after that. */
const maximalAgeMilliseconds = 2000;
/** For each kind of question. An answer is some hundred bytes. */
const maximalAnswers = 20_000;
/** A person who was let into more documents of one owner has been let into all of them. */
const maximalGrants = 1000;

export interface CachedSubscriberDirectory extends SubscriberDirectory {
  /** Forgets all answers in this process, after a change that was made here. */
  forget(): void;
}

/** @param reader the connection for reads; questions of all requests travel together. */
export function openSubscriberDirectory(reader: PipelinedClient): CachedSubscriberDirectory {
  const query: Query = async <Row extends pg.QueryResultRow>(statement: pg.QueryConfig) => {
    const { rows } = await orUnavailable(reader.query<Row>(statement));
    return rows;
  };
  const byIdentity = remembered((identity: string) => withIdentity(query, identity));
  const byImpi = remembered((impi: string) => withImpi(query, impi));
  const secrets = remembered((realm: string, username: string, algorithm: string) =>
    digestSecret(query, realm, username, algorithm),
  );
  const hashes = remembered((xui: string) => passwordHash(query, xui));
  const roles = remembered(() => allRoles(query));
  const grants = remembered((owner: string, ...grantees: string[]) => grantsTo(query, owner, grantees));
  const all = [byIdentity, byImpi, secrets, hashes, roles, grants];
  return {
    withIdentity: byIdentity.ask,
    withImpi: byImpi.ask,
    digestSecret: secrets.ask,
    passwordHash: hashes.ask,
    roleOf: async (xui) => (await roles.ask()).get(xui),
    async grants(owner, grantees) {
      const now = Date.now();
      const known = await grants.ask(owner, ...grantees);
      return known.filter(({ expiresAt }) => Date.parse(expiresAt) > now);
    },
    forget: () => all.forEach(({ forget }) => forget()),
  };
}

interface Remembered<Question extends string[], Answer> {
  readonly ask: (...question: Question) => Promise<Answer>;
  readonly forget: () => void;
}

/** Keeps answers, negative ones as well, by age from the moment of the question. Who asks meanwhile waits for the same. */
function remembered<Question extends string[], Answer>(
  find: (...question: Question) => Promise<Answer>,
): Remembered<Question, Answer> {
  const answers = new LRUCache<string, { readonly answer: Answer }, () => Promise<Answer>>({
    max: maximalAnswers,
    ttl: maximalAgeMilliseconds,
    // What is forgotten meanwhile is still an answer to who asked before.
    ignoreFetchAbort: true,
    async fetchMethod(_key, _known, { options, context }) {
      const askedAt = performance.now();
      const answer = await context();
      options.ttl = Math.max(1, maximalAgeMilliseconds - (performance.now() - askedAt));
      return { answer };
    },
  });
  return {
    ask: async (...question) =>
      (await answers.forceFetch(question.join('\0'), { context: () => find(...question) })).answer,
    forget: () => answers.clear(),
  };
}

async function withIdentity(query: Query, identity: string): Promise<Subscriber | undefined> {
  const [row] = await query<SubscriberRow>({
    name: 'xcapd-subscriber-by-identity',
    text:
      `select ${subscriberColumns} from xcapd.subscribers ` +
      'join xcapd.identities as asked on asked.xui = subscribers.xui where asked.identity = $1',
    values: [identity],
  });
  return row && subscriberOf(row);
}

async function withImpi(query: Query, impi: string): Promise<Subscriber | undefined> {
  const [row] = await query<SubscriberRow>({
    name: 'xcapd-subscriber-by-impi',
    text: `select ${subscriberColumns} from xcapd.subscribers where impi = $1`,
    values: [impi],
  });
  return row && subscriberOf(row);
}

async function digestSecret(
  query: Query,
  realm: string,
  username: string,
  algorithm: string,
): Promise<DigestSecret | undefined> {
  const [row] = await query<DigestSecretRow>({
    name: 'xcapd-digest-secret',
    text:
      'select xui, realm, username, algorithm, ha1 from xcapd.digest_secrets ' +
      'where realm = $1 and username = $2 and algorithm = $3',
    values: [realm, username, algorithm],
  });
  return row && digestSecretOf(row);
}

async function passwordHash(query: Query, xui: string): Promise<string | undefined> {
  const [row] = await query<{ hash: string }>({
    name: 'xcapd-password-hash',
    text: 'select hash from xcapd.password_hashes where xui = $1',
    values: [xui],
  });
  return row?.hash;
}

/** All of them: only a few principals have one, and every request asks. */
async function allRoles(query: Query): Promise<ReadonlyMap<Xui, Role>> {
  const rows = await query<RoleRow>({ name: 'xcapd-roles', text: 'select xui, role from xcapd.roles' });
  return new Map(rows.map(({ xui, role }) => [xui, role]));
}

async function grantsTo(query: Query, owner: string, grantees: readonly string[]): Promise<Grant[]> {
  const rows = await query<GrantRow>({
    name: 'xcapd-grants',
    text:
      `select ${grantColumns} from xcapd.grants ` +
      'where xui = $1 and grantee = any($2::text[]) and expires_at > clock_timestamp() ' +
      'order by expires_at desc limit $3',
    values: [owner, grantees, maximalGrants],
  });
  return rows.map(grantOf);
}
