/** What a TLS connection says of its other end. */
import { Server, TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Credentials } from '../identity/authentication.js';
import { alternativeUris } from '../identity/certificate.js';

export type TlsPeer = Pick<Credentials, 'isSecure' | 'certificateUris' | 'cipherSuite'>;

const noPeer: TlsPeer = { isSecure: false, certificateUris: [], cipherSuite: undefined };

/** Certificates are read once for each connection: they cannot change, see below. */
const peers = new WeakMap<Socket, TlsPeer>();

/** Who is at the other end; a certificate counts only if an authority of the configuration signed it. */
export function tlsPeer(socket: Socket): TlsPeer {
  if (!(socket instanceof TLSSocket)) return noPeer;
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const names = socket.authorized ? socket.getPeerX509Certificate()?.subjectAltName : undefined;
  const peer: TlsPeer = {
    isSecure: true,
    certificateUris: alternativeUris(names ?? ''),
    cipherSuite: socket.getCipher().standardName,
  };
  peers.set(socket, peer);
  return peer;
}

/**
 * With TLS 1.2 a client could renegotiate and show another certificate. Node.js would then go on to say that the connection
 * is authorized, which is true of the first certificate only.
 */
export function forbidRenegotiation({ server }: FastifyInstance): void {
  if (!(server instanceof Server)) return;
  server.on('secureConnection', (socket: TLSSocket) => socket.disableRenegotiation());
}
