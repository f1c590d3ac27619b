/** What supervisor and workers say to each other. */

/** The metrics of one process, as the library gives and takes them. */
export type Figures = readonly object[];

export type ToWorker =
  /** Certificate, key, tokens and profiles are to be read again. */
  | { readonly type: 'xcapd:reload' }
  /** Asks for the metrics of that worker. */
  | { readonly type: 'xcapd:figures'; readonly id: number }
  /** How a login went at another worker. */
  | LoginMessage
  /** No text where the metrics could not be gathered. */
  | { readonly type: 'xcapd:metrics'; readonly id: number; readonly text?: string };

export interface LoginMessage {
  readonly type: 'xcapd:login';
  readonly login: {
    readonly outcome: 'failed' | 'succeeded';
    readonly peer?: string | undefined;
    readonly user?: string | undefined;
  };
}

/** A worker listens; the addresses are `host:port`, with the ports that were chosen for port 0. */
export interface Ready {
  readonly type: 'xcapd:ready';
  readonly usages: readonly string[];
  readonly address: string;
  readonly managementAddress: string;
}

export type ToSupervisor =
  | Ready
  /** `isLasting`: no other worker could start either, unless the server is started with another configuration. */
  | { readonly type: 'xcapd:failed'; readonly message: string; readonly isLasting: boolean }
  | { readonly type: 'xcapd:figures'; readonly id: number; readonly figures: Figures }
  /** How a login went, for the other workers. */
  | LoginMessage
  /** Asks for the metrics of all workers. */
  | { readonly type: 'xcapd:metrics'; readonly id: number };

export function isToWorker(message: unknown): message is ToWorker {
  return hasType(message, ['xcapd:reload', 'xcapd:figures', 'xcapd:login', 'xcapd:metrics']);
}

export function isToSupervisor(message: unknown): message is ToSupervisor {
  return hasType(message, ['xcapd:ready', 'xcapd:failed', 'xcapd:figures', 'xcapd:login', 'xcapd:metrics']);
}

/** Other modules use the channel, too (node:cluster). */
function hasType(message: unknown, types: readonly string[]): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    types.includes(String(message.type))
  );
}
