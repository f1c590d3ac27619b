/** What supervisor and workers say to each other. */

export type ToWorker =
  | { readonly type: 'xcapd:stop' }
  /** Certificate, key and profiles are to be read again. */
  | { readonly type: 'xcapd:reload' }
  /** No text where the metrics could not be gathered. */
  | { readonly type: 'xcapd:metrics'; readonly id: number; readonly text?: string };

/** A worker listens; the addresses are `host:port`, with the ports that were chosen for port 0. */
export interface Ready {
  readonly type: 'xcapd:ready';
  readonly usages: readonly string[];
  readonly address: string;
  readonly managementAddress: string;
}

export type ToSupervisor =
  | Ready
  | { readonly type: 'xcapd:failed'; readonly message: string }
  | { readonly type: 'xcapd:metrics'; readonly id: number };

export function isToWorker(message: unknown): message is ToWorker {
  return hasType(message, ['xcapd:stop', 'xcapd:reload', 'xcapd:metrics']);
}

export function isToSupervisor(message: unknown): message is ToSupervisor {
  return hasType(message, ['xcapd:ready', 'xcapd:failed', 'xcapd:metrics']);
}

/** Other modules use the channel, too (node:cluster, prom-client). */
function hasType(message: unknown, types: readonly string[]): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    types.includes(String(message.type))
  );
}
