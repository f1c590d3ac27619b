/** The latest requests on the documents of each subscriber, for whoever asks why one failed. */
import type { Xui } from '../xcap/terms.js';

/** What there is to know of a request; what clients chose is cut short and without passwords. */
export interface RequestFacts {
  readonly method: string;
  /** §6.2, §6.3: decoded. */
  readonly document?: string | undefined;
  readonly node?: string | undefined;
  readonly role?: string | undefined;
  /** The authentication scheme that decided, and why it refused. */
  readonly scheme?: string | undefined;
  readonly reason?: string | undefined;
  /** §11.1: of a 409. */
  readonly condition?: string | undefined;
  /** Of a refusal. */
  readonly sentence?: string | undefined;
  readonly milliseconds: number;
  readonly peer?: string | undefined;
}

export interface PastRequest extends RequestFacts {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly status: number;
  /** The identity that asked; undefined where nobody knows. */
  readonly asker?: Xui | undefined;
}

export interface AnsweredRequest extends PastRequest {
  /** Whose document it is, by XUI. */
  readonly subscriber: Xui;
  /** Whose identity the asker is; undefined where they are no subscriber. */
  readonly askerSubscriber: Xui | undefined;
}

export interface RequestHistory {
  /** Whether anything is remembered at all. */
  readonly isOn: boolean;
  /** Keeps it soon, or loses it: nobody waits. */
  remember(request: AnsweredRequest): void;
  /** The latest first. */
  latest(xui: Xui, which: { readonly isRefused: boolean }): Promise<readonly PastRequest[]>;
}
