/** Errors as HTTP answers: the one table from what the core throws to a status. */
import { LoginsBusy } from '../identity/passwords/fair-queue.js';
import { TooManyFailedLogins } from '../identity/passwords/login-throttle.js';
import { IdentityUnavailable } from '../identity/unavailable.js';
import { conflictBody, conflictMediaType, Conflict } from '../xcap/conflict.js';
import { HomeChanged, StoreUnavailable } from '../xcap/document-store.js';
import { Refusal } from '../xcap/refusal.js';
import { UpstreamFailure } from '../aggregation/failure.js';

export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** §11.1: the condition of a 409. */
  readonly condition?: string;
  /** True where the operator should hear of it. */
  readonly isFault: boolean;
}

const plainText = 'text/plain; charset=utf-8';

/** A handset repeats at once without this; PostgreSQL is back from a restart within seconds. */
const retryAfterSeconds = '5';

/** The answer for anything that was thrown while a request was served. */
export function errorReply(error: unknown): ErrorReply {
  if (error instanceof Conflict) {
    return {
      status: 409,
      headers: { 'content-type': conflictMediaType },
      body: conflictBody(error.report),
      condition: error.report.condition,
      isFault: false,
    };
  }
  if (error instanceof Refusal) {
    return {
      status: error.status,
      headers: {
        'content-type': plainText,
        ...(error.allow === undefined ? {} : { allow: error.allow.join(', ') }),
      },
      body: `${error.message}\n`,
      isFault: false,
    };
  }
  if (error instanceof StoreUnavailable) {
    return {
      status: 503,
      headers: { 'content-type': plainText, 'retry-after': retryAfterSeconds },
      body: 'The document store is not available now. Please try again.\n',
      isFault: true,
    };
  }
  if (error instanceof HomeChanged) {
    return {
      status: 503,
      headers: { 'content-type': plainText, 'retry-after': '1' },
      body: 'The documents of this user are being moved or erased. Please try again.\n',
      isFault: false,
    };
  }
  if (error instanceof IdentityUnavailable) {
    return {
      status: 503,
      headers: { 'content-type': plainText, 'retry-after': String(error.retryAfterSeconds) },
      body: `${error.message} Please try again.\n`,
      isFault: true,
    };
  }
  if (error instanceof LoginsBusy) {
    return {
      status: 503,
      headers: { 'content-type': plainText, 'retry-after': String(error.retryAfterSeconds) },
      body: `${error.message} Please try again.\n`,
      isFault: false,
    };
  }
  if (error instanceof TooManyFailedLogins) {
    return {
      status: 429,
      headers: { 'content-type': plainText, 'retry-after': String(error.retryAfterSeconds) },
      body: `${error.message} Please try again later.\n`,
      isFault: false,
    };
  }
  if (error instanceof UpstreamFailure) {
    return {
      status: error.status,
      headers: { 'content-type': plainText, 'retry-after': retryAfterSeconds },
      body: `${error.message}\n`,
      isFault: true,
    };
  }
  return frameworkReply(error);
}

/** Fastify's own errors (body too large, bad Content-Length) carry a status; anything else is a fault of ours. */
function frameworkReply(error: unknown): ErrorReply {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const isFault = !(status >= 400 && status < 500);
  return {
    status: isFault ? 500 : status,
    headers: { 'content-type': plainText },
    body: isFault || !(error instanceof Error) ? 'Internal error.\n' : `${error.message}\n`,
    isFault,
  };
}
