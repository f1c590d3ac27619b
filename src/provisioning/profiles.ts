/**
 * Profiles on disk: `<folder>/<auid>/<name>.xml` is one, and `<folder>/<auid>/subscribers.json` says who has which. See
 * docs/provisioning.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { madeDocument } from '../xcap/document/stored-document.js';
import { Conflict } from '../xcap/conflict.js';
import type { Provisioning } from '../xcap/usage/contract.js';
import { isStored, type LoadedStoredUsage, type LoadedUsages } from '../xcap/usage/loaded-usage.js';
import type { Profile } from './provisioned-store.js';
import type { UserDocumentSelector, Xui } from '../xcap/terms.js';
import { validateDocument } from '../xcap/usage/validate.js';
import { canonicalHost, canonicalXui } from '../xcap/uri/xui.js';
import { decodeUtf8, readDocument } from '../xml/fence.js';

/** A profile or an assignment that cannot be used; the message names its file and what is wrong. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
}

export interface Profiles {
  readonly profileOf: ProfileFinder;
  /** What a subscriber can be given: the names of the profiles of all usages. */
  readonly names: ReadonlySet<string>;
}

/**
 * Undefined for documents that cannot be provisioned. Else finds the profile of the document: the one of that name, which
 * the subscriber was given themselves, or the one that the folder assigns.
 */
export type ProfileFinder = (
  document: UserDocumentSelector,
) => ((ownProfile: string | undefined) => Profile | undefined) | undefined;

/** Who has which profile in one usage. */
interface Assignments {
  readonly provisioning: Provisioning;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly users: ReadonlyMap<Xui, Profile>;
  readonly domains: ReadonlyMap<string, Profile>;
  readonly everybody: Profile | undefined;
}

const assignmentsFile = 'subscribers.json';

/** Of nobody: stands for the users of a profile where rules want to know whose document it is. */
const nobody = 'sip:nobody@example.invalid';

/**
 * Reads all profiles and who has them.
 *
 * @param defaultDomain the domain of XUIs that are given without one.
 * @returns with the look-up of a document's profile; the folder assigns that of the user, else that of the domain, else that of
 * everybody.
 * @throws ProfileError
 */
export function loadProfiles(folder: string, usages: LoadedUsages, defaultDomain?: string): Profiles {
  const auids = attempt(folder, () => readdirSync(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const byUsage = new Map(
    auids.map((auid) => [auid, loadAssignments(join(folder, auid), auid, usages, defaultDomain)]),
  );
  return {
    profileOf({ auid, xui, path }) {
      const assignments = byUsage.get(auid);
      if (assignments?.provisioning.document !== path.join('/')) return undefined;
      return (ownProfile) => profileOf(xui, ownProfile, assignments);
    },
    names: new Set([...byUsage.values()].flatMap(({ profiles }) => [...profiles.keys()])),
  };
}

function profileOf(
  xui: Xui,
  ownProfile: string | undefined,
  { profiles, users, domains, everybody }: Assignments,
): Profile | undefined {
  const own = ownProfile === undefined ? undefined : profiles.get(ownProfile);
  return own ?? users.get(xui) ?? domains.get(domainOf(xui)) ?? everybody;
}

/** Without URI parameters; '' where there is none, as in a tel URI. */
function domainOf(xui: Xui): string {
  const at = xui.lastIndexOf('@');
  const [domain = ''] = xui.slice(at + 1).split(/[;?:]/);
  return at < 0 ? '' : domain;
}

function loadAssignments(
  folder: string,
  auid: string,
  usages: LoadedUsages,
  defaultDomain: string | undefined,
): Assignments {
  const loaded = usages.get(auid);
  if (loaded === undefined)
    throw new ProfileError(`${folder}: '${auid}' is no application usage served here.`);
  const provisioning = isStored(loaded) ? loaded.usage.provisioning : undefined;
  if (!isStored(loaded) || provisioning === undefined) {
    throw new ProfileError(`${folder}: documents of '${auid}' cannot be provisioned.`);
  }
  const files = attempt(folder, () => readdirSync(folder)).filter((name) => name.endsWith('.xml'));
  const profiles = new Map(
    files.map((file) => [file.replace(/\.xml$/, ''), loadProfile(join(folder, file), loaded, provisioning)]),
  );
  return {
    provisioning,
    profiles,
    ...readAssignments(join(folder, assignmentsFile), profiles, defaultDomain),
  };
}

function loadProfile(file: string, loaded: LoadedStoredUsage, provisioning: Provisioning): Profile {
  const decoding = decodeUtf8(attempt(file, () => readFileSync(file)));
  if (!decoding.ok) throw new ProfileError(`${file}: ${decoding.refusal.message}`);
  const reading = readDocument(decoding.value);
  if (!reading.ok) throw new ProfileError(`${file}: ${reading.refusal.message}`);
  const document = {
    tree: 'users',
    auid: loaded.usage.auid,
    xui: nobody,
    path: [provisioning.document],
  } as const;
  try {
    validateDocument(reading.value, { ...loaded, document, xcapRoots: [''], hostnames: [] });
  } catch (error) {
    if (error instanceof Conflict) throw new ProfileError(`${file}: ${error.message}`);
    throw error;
  }
  const fault = provisioning.profileFault(reading.value);
  if (fault !== undefined) throw new ProfileError(`${file}: ${fault}`);
  return { provisioning, document: madeDocument(decoding.value) };
}

/** `user@domain` or a URI is one user, `*@domain` are all of a domain, `*` is everybody. */
function readAssignments(
  file: string,
  profiles: ReadonlyMap<string, Profile>,
  defaultDomain: string | undefined,
): Omit<Assignments, 'provisioning' | 'profiles'> {
  const users = new Map<Xui, Profile>();
  const domains = new Map<string, Profile>();
  let everybody: Profile | undefined;
  for (const [pattern, name] of readPairs(file)) {
    const profile = typeof name === 'string' ? profiles.get(name) : undefined;
    if (profile === undefined) {
      throw new ProfileError(
        `${file}: '${pattern}' has the profile ${JSON.stringify(name)}, which is not there.`,
      );
    }
    const [, domain] = /^\*@(.+)$/.exec(pattern) ?? [];
    if (pattern === '*') everybody = profile;
    else if (domain !== undefined) add(domains, canonicalHost(domain), profile, file, pattern);
    else if (pattern === '' || pattern.includes('*')) {
      throw new ProfileError(`${file}: '${pattern}' is neither a user nor *@domain nor *.`);
    } else add(users, canonicalXui(pattern, defaultDomain), profile, file, pattern);
  }
  return { users, domains, everybody };
}

/** Two spellings of one user would make it a matter of chance which counts. */
function add(to: Map<string, Profile>, key: string, profile: Profile, file: string, pattern: string): void {
  if (to.has(key)) throw new ProfileError(`${file}: '${pattern}' stands there under another spelling, too.`);
  to.set(key, profile);
}

function readPairs(file: string): [pattern: string, name: unknown][] {
  const text = attempt(file, () => readFileSync(file, 'utf8'));
  const value = attempt(file, (): unknown => JSON.parse(text));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw new ProfileError(`${file}: it has to be one object from patterns to names of profiles.`);
}

/** @throws ProfileError in place of what the action throws. */
function attempt<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new ProfileError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
