/** Errors of the management API as problem details (RFC 9457). */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply } from 'fastify';
import { Conflict } from '../../xcap/conflict.js';
import { SubscriberConflict } from '../../subscribers/register.js';
import { SecretsKeyError } from '../../subscribers/secret-box.js';
import { HomeChanged, StoreUnavailable } from '../../xcap/document-store.js';
import { Refusal } from '../../xcap/refusal.js';

const problemMediaType = 'application/problem+json';

/** What is wrong with one part of the input. */
export interface InputFault {
  /** RFC 6901, as a URI fragment for the body, or the name of a parameter. */
  readonly where: string;
  readonly detail: string;
}

/** The members that a problem may have beside status, title and detail. */
export interface ProblemMembers {
  /** For programs: which of the problems with this status it is. */
  readonly code?: string;
  /** §11 of RFC 4825: the condition of a document that is refused. */
  readonly condition?: string;
  readonly errors?: readonly InputFault[];
}

/** A request that is refused; the message is a sentence for whoever sent it. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    readonly status: number,
    message: string,
    readonly members: ProblemMembers = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .header('cache-control', 'no-store')
    .type(problemMediaType)
    .send(bodyOf(problem));
}

/** Anything that was thrown while a request was served; what is no refusal tells the sender nothing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof SubscriberConflict) return new Problem(409, error.message, { code: error.code });
  if (error instanceof Conflict) {
    return new Problem(409, error.message, {
      code: 'document-conflict',
      condition: error.report.condition,
    });
  }
  if (error instanceof Refusal) {
    const headers: Record<string, string> = {};
    if (error.allow !== undefined) headers.allow = error.allow.join(', ');
    return new Problem(error.status, error.message, {}, headers);
  }
  if (error instanceof HomeChanged) {
    const headers = { 'retry-after': '1' };
    return new Problem(
      503,
      'The documents of this user are being moved or erased. Please try again.',
      {},
      headers,
    );
  }
  if (error instanceof SecretsKeyError) return new Problem(503, error.message);
  if (error instanceof StoreUnavailable) {
    const headers = { 'retry-after': '5' };
    return new Problem(503, 'The database is not available now. Please try again.', {}, headers);
  }
  return frameworkProblem(error);
}

export function notFound(what: string): Problem {
  return new Problem(404, `There is no such ${what}.`);
}

type ValidationErrors = NonNullable<FastifyError['validation']>;

/** What a JSON schema says against an input, without repeating it: it may be a secret. */
export function inputFaults(errors: ValidationErrors, part = 'body'): InputFault[] {
  return errors.map(({ instancePath, keyword, message, params }) => {
    const where = part === 'body' ? `#${instancePath}` : instancePath.replace(/^\//, '');
    if (keyword === 'additionalProperties') {
      return { where, detail: `'${String(params.additionalProperty)}' is not known here.` };
    }
    const values = keyword === 'enum' && Array.isArray(params.allowedValues) ? params.allowedValues : [];
    const addition = values.length === 0 ? '' : `: ${values.join(', ')}`;
    return { where, detail: `${message ?? 'is not valid'}${addition}` };
  });
}

/** Fastify's own errors carry a status; anything else is a fault of ours. */
function frameworkProblem(error: unknown): Problem {
  if (!(error instanceof Error)) return internalError();
  const { statusCode = 500, validation, validationContext } = error as FastifyError;
  if (validation !== undefined) {
    const errors = inputFaults(validation, validationContext);
    return new Problem(400, 'The request is not as the description of this API (/docs) wants it.', {
      code: 'invalid-input',
      errors,
    });
  }
  // The messages of a parser repeat what it could not read.
  if (error instanceof SyntaxError) return new Problem(400, 'The body is not valid JSON.');
  return statusCode >= 400 && statusCode < 500 ? new Problem(statusCode, error.message) : internalError();
}

function internalError(): Problem {
  return new Problem(500, 'Internal error.');
}

function bodyOf({ status, message, members }: Problem): string {
  const title = STATUS_CODES[status] ?? 'Error';
  return `${JSON.stringify({ type: 'about:blank', title, status, detail: message, ...members })}\n`;
}
