/** The client's side of HTTP Digest (RFC 7616): logs in when it is challenged, then uses the nonce again and again. */
import { createHash } from 'node:crypto';

const realm = 'ims.example.com';
const password = 'benchmark';

/** One user on one connection. */
export interface DigestLogin {
  /** The value of Authorization for the next request; undefined while there is no nonce. */
  authorization(method: string, uri: string): string | undefined;
  /** Takes the nonce of a challenge. */
  challenged(wwwAuthenticate: string): void;
}

/** A line for the import of the management API: a subscriber who logs in by digest. */
export function digestSubscriber(xui: string): string {
  return JSON.stringify({ xui, digest: [{ realm, username: xui, algorithm: 'MD5', ha1: ha1Of(xui) }] });
}

export function digestLogin(xui: string): DigestLogin {
  const ha1 = ha1Of(xui);
  let nonce: string | undefined;
  let count = 0;
  return {
    authorization(method, uri) {
      if (nonce === undefined) return undefined;
      const nc = (++count).toString(16).padStart(8, '0');
      const response = md5(`${ha1}:${nonce}:${nc}:benchmark:auth:${md5(`${method}:${uri}`)}`);
      return (
        `Digest username="${xui}",realm="${realm}",nonce="${nonce}",uri="${uri}",algorithm=MD5,qop=auth,` +
        `nc=${nc},cnonce="benchmark",response="${response}"`
      );
    },
    challenged(wwwAuthenticate) {
      nonce = /nonce="([^"]+)"/.exec(wwwAuthenticate)?.[1];
      count = 0;
    },
  };
}

function ha1Of(xui: string): string {
  return md5(`${xui}:${realm}:${password}`);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
