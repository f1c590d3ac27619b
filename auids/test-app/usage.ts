import { defineApplicationUsage } from '../../src/xcap/usage/contract.js';

const namespace = 'test-app';

/** Documents of any content, for suites that test XCAP servers. */
export const usage = defineApplicationUsage({
  kind: 'stored',
  auid: 'test-app',
  isOptional: true,
  defaultDocumentNamespace: namespace,
  mediaType: 'application/test-app+xml',
  defaultDocument: 'index',
  namespaces: [namespace],
});
