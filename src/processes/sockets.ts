/** How the workers come by their listening sockets. */
import { createServer } from 'node:net';
import type { Config } from '../config/config.js';

type Addresses = Pick<Config, 'host' | 'port' | 'adminHost' | 'adminPort'>;

/**
 * Whether each worker has listening sockets of its own, among which the system distributes connections (`reusePort`). Otherwise
 * node:cluster hands each connection over, and one that is on its way to a worker that dies is never answered. It takes Node.js
 * 23.1 and ports that are known beforehand.
 */
export function haveOwnSockets(
  { port, adminPort }: Addresses,
  { platform, version }: { readonly platform: string; readonly version: string } = process,
): boolean {
  const [, major = 0, minor = 0] = (/^v(\d+)\.(\d+)\./.exec(version) ?? []).map(Number);
  const canReuse = platform === 'linux' && (major > 23 || (major === 23 && minor >= 1));
  return canReuse && port !== 0 && adminPort !== 0;
}

/** Workers with sockets of their own would share the port with another server of the same user. @throws Error */
export async function checkFree({ host, port, adminHost, adminPort }: Addresses): Promise<void> {
  for (const address of [
    { host: adminHost, port: adminPort },
    { host, port },
  ]) {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.on('error', (error) => reject(new Error(listenFault(error))));
      server.listen({ ...address, exclusive: true }, () => server.close(() => resolve()));
    });
  }
}

/** For the operator: Node's own words for an address that cannot be had name neither a variable nor a way out. */
export function listenFault(error: Error): string {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const where = `${address ?? ''}${port === undefined ? '' : `:${String(port)}`}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is in use by another program: choose another port with PORT or ADMIN_PORT.`;
    case 'EADDRNOTAVAIL':
      return `${where} is no address of this machine: choose another one with HOST or ADMIN_HOST.`;
    case 'EACCES':
      return port === undefined
        ? error.message
        : `This user may not listen on ${where}: choose a port from 1024.`;
    default:
      return error.message;
  }
}
