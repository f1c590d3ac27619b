/** The part of the configuration that says which other servers keep the documents of which usages. */
import { ConfigError } from './config-error.js';

/** Where the documents of one usage are, or those of all usages whose AUID begins like that. */
export type UpstreamRoute = Upstream & ({ readonly auid: string } | { readonly prefix: string });

interface Upstream {
  /** Scheme and authority. */
  readonly origin: string;
  /** The path of the XCAP root there, without a trailing slash. */
  readonly path: string;
}

/** What the server makes of its own documents and those of all upstreams cannot come from one of them. */
const merged: readonly string[] = ['xcap-caps', 'org.openmobilealliance.xcap-directory'];

/**
 * The routes, those for one usage first, then by the length of the prefix: the first that fits is the most exact one.
 *
 * @throws ConfigError
 */
export function upstreamRoutes(value: string): UpstreamRoute[] {
  const items = value.split(',').map((item) => item.trim());
  const routes = items.filter((item) => item !== '').map(routeOf);
  const names = routes.map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new ConfigError(`XCAP_UPSTREAMS has '${twice}' twice.`);
  const own = names.find((name) => merged.includes(name));
  if (own !== undefined) {
    throw new ConfigError(`XCAP_UPSTREAMS has '${own}', which this server makes from all upstreams.`);
  }
  return routes.sort((a, b) => exactness(b) - exactness(a));
}

function routeOf(item: string): UpstreamRoute {
  const [, name, wildcard, url] = /^([^=*\s]*)(\*?)=(\S+)$/.exec(item) ?? [];
  if (name === undefined || url === undefined || (name === '' && wildcard === '')) {
    // The value is not repeated: somebody may have put a password into the URL.
    throw new ConfigError('XCAP_UPSTREAMS has an item that is not of the form <AUID>=<URL>.');
  }
  const place = placeOf(url);
  return wildcard === '' ? { auid: name, ...place } : { prefix: name, ...place };
}

function placeOf(value: string): { origin: string; path: string } {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError('XCAP_UPSTREAMS has a URL that does not begin with https:// or http://.');
  }
  if (url.username !== '' || url.password !== '' || /[?#]/.test(value)) {
    throw new ConfigError(
      'XCAP_UPSTREAMS has a URL with a user name, a password, a query or a fragment, which a root cannot have.',
    );
  }
  return { origin: url.origin, path: url.pathname.replace(/(?<!\/)\/+$/, '') };
}

function nameOf(route: UpstreamRoute): string {
  return 'auid' in route ? route.auid : `${route.prefix}*`;
}

function exactness(route: UpstreamRoute): number {
  return 'auid' in route ? Number.MAX_SAFE_INTEGER : route.prefix.length;
}
