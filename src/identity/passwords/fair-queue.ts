/** What keeps a processor busy is done a few at a time, in turn for those who ask, and refused where too much waits. */

/** RFC 9110 §15.6.4: it can be asked for again in a moment. */
export class LoginsBusy extends Error {
  override readonly name = 'LoginsBusy';
  readonly retryAfterSeconds = 5;

  constructor() {
    super('Too many logins are being checked now.');
  }
}

export interface FairQueueOptions {
  readonly atOnce: number;
  /** Of one peer. */
  readonly waitingOfOne: number;
  readonly waitingOfAll: number;
}

/** @throws LoginsBusy */
export type FairQueue = <T>(peer: string, task: () => Promise<T>) => Promise<T>;

/** Those who ask take turns, so that whoever asks for a hundred waits for them alone. */
export function fairQueue({ atOnce, waitingOfOne, waitingOfAll }: FairQueueOptions): FairQueue {
  const waiting = new Map<string, (() => void)[]>();
  let running = 0;
  let all = 0;

  function wait(peer: string): Promise<void> {
    const own = waiting.get(peer) ?? [];
    if (own.length >= waitingOfOne || all >= waitingOfAll) throw new LoginsBusy();
    all++;
    waiting.set(peer, own);
    return new Promise((resolve) => own.push(resolve));
  }

  /** The peer whose turn it was goes to the end. */
  function startNext(): void {
    const [next] = waiting;
    if (next === undefined) {
      running--;
      return;
    }
    const [peer, own] = next;
    const start = own.shift();
    waiting.delete(peer);
    if (own.length > 0) waiting.set(peer, own);
    all--;
    start?.();
  }

  return async (peer, task) => {
    if (running >= atOnce) await wait(peer);
    else running++;
    try {
      return await task();
    } finally {
      startNext();
    }
  };
}
