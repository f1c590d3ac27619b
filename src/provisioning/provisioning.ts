/** What operators provision, put together: the profiles of a folder, and the store seen through them. */
import type { DocumentStore } from '../xcap/document-store.js';
import type { Xui } from '../xcap/terms.js';
import type { LoadedUsages } from '../xcap/usage/loaded-usage.js';
import { loadProfiles, type Profiles } from './profiles.js';
import { provisionedStore, type ProvisionedPlace } from './provisioned-store.js';

export interface ProvisioningOptions {
  readonly store: DocumentStore;
  readonly usages: LoadedUsages;
  /** The name of the profile that a subscriber has. */
  readonly profileNameOf: (xui: Xui) => Promise<string | undefined>;
  /** Undefined where nobody is provisioned. */
  readonly profilesDirectory: string | undefined;
  readonly defaultDomain: string | undefined;
}

export interface Provisioning {
  readonly store: DocumentStore;
  /** The names of the profiles that there are; undefined where nobody is provisioned. */
  profileNames(): ReadonlySet<string> | undefined;
  /**
   * Reads the profiles again.
   *
   * @returns the names of those that are no longer there
   * @throws ProfileError where they cannot be used; then the old ones stay
   */
  reload(): string[];
}

/** @throws ProfileError */
export function openProvisioning(options: ProvisioningOptions): Provisioning {
  const { store, usages, profileNameOf } = options;
  let profiles = readProfiles(options);
  return {
    store: provisionedStore(
      store,
      async (document) => {
        const find = profiles?.profileOf(document);
        return find?.(await profileNameOf(document.xui));
      },
      provisionedPlaces(usages),
    ),
    profileNames: () => profiles?.names,
    reload() {
      const before = profiles?.names ?? new Set<string>();
      profiles = readProfiles(options);
      return [...before].filter((name) => profiles?.names.has(name) !== true);
    },
  };
}

function readProfiles({
  profilesDirectory,
  usages,
  defaultDomain,
}: ProvisioningOptions): Profiles | undefined {
  if (profilesDirectory === undefined) return undefined;
  return loadProfiles(profilesDirectory, usages, defaultDomain);
}

function provisionedPlaces(usages: LoadedUsages): ProvisionedPlace[] {
  return [...usages.values()].flatMap(({ usage }) => {
    if (usage.kind !== 'stored' || usage.provisioning === undefined) return [];
    return [{ auid: usage.auid, document: usage.provisioning.document }];
  });
}
