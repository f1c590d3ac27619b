/**
 * Requests as clients in the field send them, each with the document that it meets and the outcome. A case is data; the
 * runner is corpus.test.ts.
 */

/** The files of the folder `documents/`, without `.xml`. */
export type DocumentName =
  | 'simservs-plain'
  | 'simservs-first-use'
  | 'simservs-alerting'
  | 'simservs-prefixed'
  | 'simservs-operator'
  | 'simservs-capabilities'
  | 'lists-friends'
  | 'lists-handset'
  | 'rules'
  | 'oma-rules'
  | 'services-bob'
  | 'group'
  | 'picture';

export interface CorpusCase {
  /** Group and number, unique. */
  readonly id: string;
  /** What it shows. */
  readonly title: string;
  readonly method: string;
  /** As on the wire, XCAP root included. */
  readonly target: string;
  /** `{etag}` stands for the current entity tag of the document, `{stale}` for an earlier one, both with their quotes. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The document that is there, below the root `/`. Default: at the place that the target names, none. */
  readonly document?: DocumentName;
  /** Where that document is. Default: the subscriber's simservs, Alice's lists or rules. */
  readonly at?: string;
  /** The XUI that the proxy asserts, null for none. Default: the owner of `at`. */
  readonly as?: string | null;
  /** The peer is no trusted proxy, so that the asserted identity is not believed. */
  readonly untrusted?: boolean;
  readonly expect: Expectation;
  /** Why the server decides so, where another decision could be expected. */
  readonly why?: string;
}

export interface Expectation {
  readonly status: number;
  /** §11: the condition of a 409. */
  readonly condition?: string;
  readonly contentType?: string;
  /** The exact body. */
  readonly body?: string;
  /** What the body or, after a write, the document must have in it. */
  readonly contains?: readonly string[];
  /** What it must not have in it. */
  readonly lacks?: readonly string[];
  /** The ancestor of a no-parent. */
  readonly ancestor?: string;
}

export const subscriber = 'sip:+15550100200@ims.example.com';

/** The subscriber's document, as handsets spell it. */
export const simservs = `/simservs.ngn.etsi.org/users/${subscriber}/simservs.xml`;

export const lists = '/resource-lists/users/sip:alice@example.com/index';

export const rules = '/pres-rules/users/sip:alice@example.com/index';

export const cp = 'xmlns(cp=urn:ietf:params:xml:ns:common-policy)';

export const ss = 'xmlns(ss=http://uri.etsi.org/ngn/params/xml/simservs/xcap)';

export const element = { 'content-type': 'application/xcap-el+xml' };

export const attribute = { 'content-type': 'application/xcap-att+xml' };
