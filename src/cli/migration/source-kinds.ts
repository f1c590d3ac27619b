/** The servers whose tables are read, and the numbers by which they know application usages. */

export const sourceKinds = ['kamailio', 'opensips', 'openxcap'] as const;

export type SourceKind = (typeof sourceKinds)[number];

const everywhere: readonly [number, string][] = [
  [1 << 1, 'pres-rules'],
  [1 << 2, 'resource-lists'],
  [1 << 3, 'rls-services'],
  [1 << 4, 'pidf-manipulation'],
];

/** Kamailio has both kinds of presence rules under one number; the URI of the document tells them apart. */
const kamailio = new Map([
  ...everywhere,
  [1 << 5, 'xcap-caps'],
  [1 << 6, 'org.openmobilealliance.user-profile'],
  [1 << 7, 'org.openmobilealliance.pres-content'],
  [1 << 8, 'org.openmobilealliance.search'],
  [1 << 9, 'org.openmobilealliance.xcap-directory'],
]);

/** OpenXCAP stores for OpenSIPS, which knows the first five. */
const openxcap = new Map([
  ...everywhere,
  [0, 'test-app'],
  [1 << 5, 'org.openmobilealliance.pres-rules'],
  [1 << 6, 'org.openmobilealliance.pres-content'],
  [1 << 7, 'org.openxcap.dialog-rules'],
]);

/** AUIDs by `doc_type`. */
export const documentTypes: Readonly<Record<SourceKind, ReadonlyMap<number, string>>> = {
  kamailio,
  opensips: openxcap,
  openxcap,
};
