/** Errors as HTTP answers: the one table from what the core throws to a status. */
import { LoginsBusy } from '../identity/passwords/fair-queue.js';
import { TooManyFailedLogins } from '../identity/passwords/login-throttle.js';
import { IdentityUnavailable } from '../identity/unavailable.js';
import { conflictBody, conflictMediaType, Conflict } from '../xcap/conflict.js';
import { HomeChanged, StoreUnavailable } from '../xcap/document-store.js';
import { Refusal } from '../xcap/refusal.js';
import { TooMuchProcessing } from './processing-budget.js';
import { UpstreamFailure } from '../aggregation/failure.js';

export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What the body says, for the log. */
  readonly sentence: string;
  /** §11.1: the condition of a 409. */
  readonly condition?: string;
  /** True where the operator should hear of it. */
  readonly isFault: boolean;
}

const plainText = 'text/plain; charset=utf-8';

/** The answer for anything that was thrown while a request was served. */
export function errorReply(error: unknown): ErrorReply {
  if (error instanceof Conflict) {
    return {
      status: 409,
      headers: { 'content-type': conflictMediaType },
      body: conflictBody(error.report),
      sentence: error.message,
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
      sentence: error.message,
      isFault: false,
    };
  }
  if (error instanceof StoreUnavailable) {
    return later(503, 5, 'The document store is not available now. Please try again.', true);
  }
  if (error instanceof HomeChanged) {
    return later(503, 1, 'The documents of this user are being moved or erased. Please try again.');
  }
  if (error instanceof IdentityUnavailable) {
    return later(503, error.retryAfterSeconds, `${error.message} Please try again.`, true);
  }
  if (error instanceof LoginsBusy) {
    return later(503, error.retryAfterSeconds, `${error.message} Please try again.`);
  }
  if (error instanceof TooManyFailedLogins || error instanceof TooMuchProcessing) {
    return later(429, error.retryAfterSeconds, `${error.message} Please try again later.`);
  }
  if (error instanceof UpstreamFailure) return later(error.status, 5, error.message, true);
  return frameworkReply(error);
}

/** A handset repeats at once without `Retry-After`; PostgreSQL is back from a restart within five seconds. */
function later(status: number, seconds: number, sentence: string, isFault = false): ErrorReply {
  return {
    status,
    headers: { 'content-type': plainText, 'retry-after': String(seconds) },
    body: `${sentence}\n`,
    sentence,
    isFault,
  };
}

/** Fastify's own errors (body too large, bad Content-Length) carry a status; anything else is a fault of ours. */
function frameworkReply(error: unknown): ErrorReply {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const isFault = !(status >= 400 && status < 500);
  const sentence = isFault || !(error instanceof Error) ? 'Internal error.' : error.message;
  return {
    status: isFault ? 500 : status,
    headers: { 'content-type': plainText },
    body: `${sentence}\n`,
    sentence,
    isFault,
  };
}
