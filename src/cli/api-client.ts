/** The management API as commands use it. Refusals become one sentence and an exit code. */
import { CommandError, exitCodes, messageOf, type ExitCode } from './command-error.js';

export interface Server {
  /** Without a trailing slash. */
  readonly url: string;
  /** Secret. */
  readonly token: string | undefined;
  /** The authorities that sign its certificate (PEM); undefined for the public ones. */
  readonly authorities: string | undefined;
}

/** A request that the server refuses. */
export class ApiRefusal extends CommandError {
  constructor(
    exitCode: ExitCode,
    message: string,
    readonly status: number,
    readonly problem: ApiProblem,
  ) {
    super(exitCode, message);
  }
}

export interface ApiRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Is sent as JSON. */
  readonly json?: object;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** Problem details (RFC 9457) as the server writes them. */
export interface ApiProblem {
  readonly detail?: string;
  readonly condition?: string;
  readonly errors?: readonly { readonly where: string; readonly detail: string }[];
}

interface ListPage<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

const pageLimit = '1000';
/** A proxy says so of a server that is away, and the server of its database. */
const unavailableStatuses = [502, 503, 504];

/**
 * Sends a request below `/api/v1`.
 *
 * @throws ApiRefusal where the server refuses, CommandError where it cannot be reached.
 */
export async function send(
  server: Server,
  method: string,
  path: string,
  { headers, json, body }: ApiRequest = {},
): Promise<Response> {
  const response = await reaching(server, () =>
    fetchFrom(server, `${server.url}/api/v1${path}`, {
      method,
      redirect: 'error',
      headers: {
        ...(server.token === undefined ? {} : { authorization: `Bearer ${server.token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
    }),
  );
  if (response.ok) return response;
  throw await refusalOf(server, response);
}

interface Fetched {
  readonly method: string;
  readonly redirect: 'error';
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
}

/** That of Node.js takes no authorities. The other one is loaded only where they are needed: commands are wanted soon. */
async function fetchFrom({ authorities }: Server, url: string, request: Fetched): Promise<Response> {
  if (authorities === undefined) return fetch(url, request);
  const undici = await import('undici');
  const dispatcher = new undici.Agent({ connect: { ca: authorities } });
  return undici.fetch(url, { ...request, dispatcher });
}

export async function sendForJson<Answer>(
  server: Server,
  method: string,
  path: string,
  request?: ApiRequest,
): Promise<Answer> {
  const response = await send(server, method, path, request);
  return (await reaching(server, () => response.json())) as Answer;
}

/** The bytes of an answer. */
export async function sendForBytes(
  server: Server,
  method: string,
  path: string,
): Promise<{ readonly bytes: Buffer; readonly headers: Headers }> {
  const response = await send(server, method, path);
  const bytes = Buffer.from(await reaching(server, () => response.arrayBuffer()));
  return { bytes, headers: response.headers };
}

/** The bytes of an answer of any length, as they come. */
export async function* chunksOf(server: Server, { body }: Response): AsyncGenerator<Uint8Array> {
  const reader = (body as ReadableStream<Uint8Array> | null)?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reaching(server, () => reader.read());
    if (done) return;
    yield value;
  }
}

/** All pages of a list, one after the other. */
export async function* listPages<Item>(
  server: Server,
  path: string,
  query: Readonly<Record<string, string>> = {},
): AsyncGenerator<readonly Item[]> {
  let cursor: string | undefined;
  do {
    const parameters = new URLSearchParams({
      ...query,
      limit: pageLimit,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const page = await sendForJson<ListPage<Item>>(server, 'GET', `${path}?${parameters.toString()}`);
    yield page.items;
    cursor = page.next;
  } while (cursor !== undefined);
}

/** The path of a subscriber, or of something below. */
export function subscriberPath(xui: string, below = ''): string {
  return `/subscribers/${encodeURIComponent(xui)}${below}`;
}

/** Whatever fails while bytes travel is the connection's fault. @throws CommandError */
export async function reaching<Result>(server: Server, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const advice = isUnknownAuthority(cause)
      ? ' Give the authority of its certificate by XCAPD_CA_FILE.'
      : '';
    throw new CommandError(
      exitCodes.unreachable,
      `The server at ${server.url} cannot be reached: ${messageOf(cause)}.${advice}`,
    );
  }
}

/** What OpenSSL says of a certificate that nobody signed whom this machine believes. */
const authorityFaults = [
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
];

function isUnknownAuthority(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && authorityFaults.includes(String(cause.code));
}

/** What is wrong, as one sentence. */
export function sentenceOf({ detail = '', errors = [] }: ApiProblem): string {
  const faults = errors.map(({ where, detail: fault }) => `${where.replace(/^#\/?/, '')} ${fault}`.trim());
  const sentence = faults.length === 0 ? detail : `${detail.replace(/\.$/, '')}: ${faults.join('; ')}.`;
  return sentence.replace(/\s+/g, ' ');
}

async function refusalOf(server: Server, response: Response): Promise<ApiRefusal> {
  const { status } = response;
  const exitCode = unavailableStatuses.includes(status) ? exitCodes.unreachable : exitCodes.refused;
  const problem = await problemOf(server, response);
  const condition = problem.condition === undefined ? '' : `${problem.condition}: `;
  const advice = status === 401 ? ' Set ADMIN_TOKEN or XCAP_ADMIN_TOKEN_FILE.' : '';
  return new ApiRefusal(exitCode, `${condition}${sentenceOf(problem)}${advice}`, status, problem);
}

async function problemOf(server: Server, response: Response): Promise<ApiProblem> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  if (!isProblem) return { detail: `The server at ${server.url} answered with status ${response.status}.` };
  return (await reaching(server, () => response.json())) as ApiProblem;
}
