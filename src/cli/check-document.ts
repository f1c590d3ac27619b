/** Judges documents as a server would, without one: the operations run on a store that keeps nothing. */
import { admission } from '../xcap/admission.js';
import { Conflict } from '../xcap/conflict.js';
import { readConfig } from '../config/config.js';
import { usageFolders } from '../package-files.js';
import { loadUsages } from '../usages/registry.js';
import { documentMaker } from '../xcap/document-maker.js';
import type { DocumentStore } from '../xcap/document-store.js';
import type { LoadedUsages } from '../xcap/usage/loaded-usage.js';
import { put } from '../xcap/operations.js';
import { Refusal } from '../xcap/refusal.js';
import type { Xcap } from '../xcap/request.js';
import { methodsFor } from '../xcap/resource.js';
import { encodeSegment } from '../xcap/uri/percent-encoding.js';
import { parseRequestTarget } from '../xcap/uri/uri.js';
import { lineIn } from './import-input.js';

/** What is wrong with a document. */
export interface DocumentFault {
  readonly reason: string;
  /** Where it is known. */
  readonly line?: number;
  /** RFC 4825 §11. */
  readonly condition?: string;
  /** An import that keeps what is not valid would store the document all the same. */
  readonly isKept?: true;
}

/** Where a document is or would be. */
export interface DocumentPlace {
  readonly auid: string;
  readonly xui: string;
  /** Percent-encoded, below the home directory. */
  readonly path: string;
}

export type DocumentChecker = (place: DocumentPlace, bytes: Uint8Array) => Promise<DocumentFault | undefined>;

const administrator = { xuis: ['operator:check'], role: 'administrator', access: 'read-write' } as const;

/** All usages of the program, also those that are off by default. */
export function loadAllUsages(): Promise<LoadedUsages> {
  return loadUsages([usageFolders], { optionalUsages: 'all', policies: new Map() });
}

/**
 * What cannot be seen without the server: URIs that are unique over all users, and what is provisioned.
 *
 * @param keepInvalid whether to say of what is not valid that it would be kept
 * @throws ConfigError for an environment that a server would refuse: its limits count here, too.
 */
export function documentChecker(usages: LoadedUsages, keepInvalid = false): DocumentChecker {
  const { maximalDocumentBytes, xcapRoots, hostnames } = readConfig(process.env);
  const xcap: Xcap = {
    store: emptyStore,
    maker: documentMaker(emptyStore, []),
    grantsOf: () => Promise.resolve([]),
    admits: admission(),
    spend: (_principal, _characters, work) => work(),
    maximalDocumentBytes,
    strictMediaTypes: false,
    xcapRoots,
    hostnames,
  };
  return async ({ auid, xui, path }, body) => {
    try {
      const target = `/${encodeSegment(auid)}/users/${encodeSegment(xui)}/${path}`;
      const uri = parseRequestTarget(target, { xcapRoots: [''], defaultDomain: undefined });
      if (uri?.node !== undefined || uri === undefined) return { reason: 'The path names no document.' };
      const usage = usages.get(auid);
      if (usage === undefined) return { reason: 'This server has no such application usage.' };
      if (!methodsFor(uri, usage).includes('PUT')) return { reason: 'This document is made by the server.' };
      const contentType = usage.usage.mediaType;
      const request = { principal: administrator, uri, usage, conditions: {}, contentType, body };
      const { flaw } = await put(xcap, { ...request, keepsInvalid: keepInvalid });
      return flaw && { ...faultOf(flaw), isKept: true };
    } catch (error) {
      return faultOf(error);
    }
  };
}

/** @throws the error where it is no refusal */
function faultOf(error: unknown): DocumentFault {
  if (error instanceof Conflict) {
    const line = lineIn(error.message);
    const { condition } = error.report;
    return { reason: error.message, condition, ...(line === undefined ? {} : { line }) };
  }
  if (error instanceof Refusal) return { reason: error.message };
  throw error;
}

const emptyStore: DocumentStore = {
  read: () => Promise.resolve(undefined),
  write: async (_document, _author, change) => {
    const { outcome } = change(undefined);
    return { kind: 'written', outcome, entityTag: undefined };
  },
  claimant: () => Promise.resolve(undefined),
  freeUris: (uris) => Promise.resolve(new Set(uris)),
  listedElements: () => Promise.resolve({ revision: '', elements: [] }),
  home: () => Promise.resolve([]),
};
