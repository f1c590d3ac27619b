/** Which counts of a nonce were used: the highest one, and a bit for each of those right below it. */

export interface NonceWindow {
  readonly highest: number;
  /** Bit n stands for the count `highest - n`. 64 bits, unsigned. */
  readonly used: bigint;
}

export const windowSize = 64;

export const unusedWindow: NonceWindow = { highest: -1, used: 0n };

/**
 * The window after the use of a count; undefined where that count was used, or is too far below the highest to know. The
 * function `xcapd.use_nonce_count` does the same for windows in the database.
 */
export function useCount({ highest, used }: NonceWindow, count: number): NonceWindow | undefined {
  const distance = count - highest;
  if (distance > 0) {
    const kept = distance < windowSize ? BigInt.asUintN(windowSize, used << BigInt(distance)) : 0n;
    return { highest: count, used: kept | 1n };
  }
  if (-distance >= windowSize) return undefined;
  const bit = 1n << BigInt(-distance);
  return (used & bit) === 0n ? { highest, used: used | bit } : undefined;
}
