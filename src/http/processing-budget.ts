/**
 * What one user can make a worker do: long work is paid for from an account that fills with time. A worker does one thing
 * at a time, so who has it read and judge large documents without a pause makes everybody else wait.
 */
import { LRUCache } from 'lru-cache';
import type { Spend } from '../xcap/request.js';
import type { Principal } from '../xcap/terms.js';

/** RFC 6585 §4. */
export class TooMuchProcessing extends Error {
  override readonly name = 'TooMuchProcessing';

  constructor(readonly retryAfterSeconds: number) {
    super('Your requests on large documents took too long in sum.');
  }
}

export interface ProcessingBudget {
  /** @throws TooMuchProcessing where the user's account is overdrawn */
  readonly check: (principal: Principal) => void;
  readonly spend: Spend;
}

export interface BudgetRules {
  /** Work on a text that is shorter is never long: it is not even measured, which would cost as much as some of it. */
  readonly freeCharacters: number;
  /** What is shorter costs nothing: nobody waits for it. */
  readonly freeMilliseconds: number;
  /** What an account has at most, and at the start. */
  readonly burstMilliseconds: number;
  /** How much of a worker's time a user has in the long run, from 0 to 1. */
  readonly share: number;
  /** Milliseconds that pass, from any start. */
  readonly clock: () => number;
  /** Milliseconds that this process computes, from any start. */
  readonly computed: () => number;
}

/** Some twenty lists of 5,000 entries at once, and then one in a second. */
export const usualBudget: BudgetRules = {
  freeCharacters: 16_384,
  freeMilliseconds: 5,
  burstMilliseconds: 2_000,
  share: 0.1,
  clock: () => performance.now(),
  computed() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};

/** An account is some hundred bytes, and only who had the server do long work has one. */
const maximalAccounts = 10_000;

/** Those whom the operator knows by name are not limited: servers, and who runs them. */
export function processingBudget(rules: BudgetRules = usualBudget): ProcessingBudget {
  const { freeCharacters, freeMilliseconds, burstMilliseconds, share, clock, computed } = rules;
  const accounts = new LRUCache<string, { readonly balance: number; readonly at: number }>({
    max: maximalAccounts,
  });

  function balanceOf(account: string, now: number): number {
    const known = accounts.get(account);
    if (known === undefined) return burstMilliseconds;
    return Math.min(burstMilliseconds, known.balance + (now - known.at) * share);
  }

  return {
    check({ role, xuis: [account] }) {
      if (role !== undefined) return;
      const balance = balanceOf(account, clock());
      if (balance < 0) throw new TooMuchProcessing(Math.ceil(-balance / share / 1000));
    },
    spend({ role, xuis: [account] }, characters, work) {
      if (role !== undefined || characters < freeCharacters) return work();
      const [start, computedBefore] = [clock(), computed()];
      try {
        return work();
      } finally {
        const now = clock();
        // Other threads of the process compute as well, and other processes of the machine make everything longer.
        const took = Math.min(now - start, computed() - computedBefore);
        if (took > freeMilliseconds) {
          accounts.set(account, { balance: balanceOf(account, now) - took, at: now });
        }
      }
    },
  };
}
