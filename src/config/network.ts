/** Addresses and networks as the configuration writes them. */
import { isIP } from 'node:net';

/** True for an IP address, or one with a `/` and the number of its leading bits behind it. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...others] = text.split('/');
  const version = isIP(address);
  const isMask = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  return version !== 0 && isMask && others.length === 0;
}
