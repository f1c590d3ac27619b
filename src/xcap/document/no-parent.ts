/** §8.2.1, §11.1: the reports on a PUT whose parent does not exist, each with the closest ancestor that does. */
import { Conflict } from '../conflict.js';
import { encodeSteps, type ParsedNodeSelector } from '../uri/node-selector.js';
import { encodeDocumentSelector, encodeHome, type XcapUri } from '../uri/uri.js';

export function noDirectory(target: XcapUri): Conflict {
  const phrase = 'The directory does not exist; put the document into the home directory.';
  return noParent(target, `${encodeHome(target.document)}/`, phrase);
}

export function noDocument(target: XcapUri): Conflict {
  return noParent(target, `${encodeHome(target.document)}/`, 'The document does not exist.');
}

/** `matchedSteps` of the steps of the node selector lead to elements that exist. */
export function noElement(target: XcapUri, node: ParsedNodeSelector, matchedSteps: number): Conflict {
  const document = encodeDocumentSelector(target.document);
  const ancestor = matchedSteps === 0 ? document : `${document}/~~/${encodeSteps(node, matchedSteps)}`;
  return noParent(target, ancestor, 'The parent of the target does not exist.');
}

/** The ancestor is a relative reference (an absolute path), so that it holds behind any proxy. */
function noParent({ xcapRoot }: XcapUri, ancestor: string, phrase: string): Conflict {
  return new Conflict({ condition: 'no-parent', phrase, ancestor: `${xcapRoot}/${ancestor}` });
}
