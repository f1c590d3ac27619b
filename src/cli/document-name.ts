/** How a command names a document and its versions. */
import { InvalidArgumentError } from 'commander';
import { wrongUsage } from './command-error.js';

export const documentHelp =
  'as in its URI below the XCAP root: <AUID>/users/<XUI>/<name> or <AUID>/global/<name>';

/** As the management API shows it. */
export interface VersionView {
  readonly version: number;
  readonly entityTag: string;
  /** Missing where the document was deleted. */
  readonly bytes?: number;
  readonly author: string;
  readonly changedAt: string;
}

/** What stands in a URI stays; what cannot stand there (blanks, `#`, letters beyond ASCII) is percent-encoded. */
export function documentPath(resource: 'documents' | 'versions', document: string): string {
  const selector = document.replace(/^\/+/, '').replace(/[^!-~]+|[#?\\"<>^`{|}]/gu, encodeURIComponent);
  if (!/^[^/]+\/(users\/[^/]+|global)\/[^/]+/.test(selector) || /(^|\/)(\.|%2e){1,2}(\/|$)/i.test(selector)) {
    throw wrongUsage(`'${document}' names no document; a name is ${documentHelp}.`);
  }
  return `/${resource}/${selector}`;
}

export function versionNumber(value: string): number {
  if (/^[1-9]\d{0,14}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It has to be the number of a version.');
}
