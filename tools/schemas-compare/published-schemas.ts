/** Which published schema files say what the documents of an application usage are. */

/** The files of one usage, relative to the folder of published schemas. */
export interface PublishedSchemas {
  /** One file for each target namespace, or several that are parts of one. What they include is found by itself. */
  readonly files: readonly string[];
  readonly repairs?: readonly Repair[];
}

/** A published file that no processor can compile as it is, and the least change that lets it. */
export interface Repair {
  readonly file: string;
  /** A sentence on what is wrong. */
  readonly why: string;
  /** Where the file does not have it (because it is a later version), nothing is repaired. */
  readonly find: string;
  readonly replacement: string;
}

const xml = 'ietf/xml.xsd';
const commonPolicy = 'ietf/common-policy.xsd';
const presRules = 'ietf/pres-rules.xsd';
const resourceLists = 'ietf/resource-lists.xsd';
const omaCommonPolicy = 'oma/xdm_commonPolicy-v1_0.xsd';
const userProfile = 'oma/xdm_userProfile-v1_0.xsd';
const listService = 'oma/poc_listService-v1_0.xsd';
const uriUsage = 'oma/xdm_rsrclst_uriusage-v1_0.xsd';
const extensions = 'oma/xdm_extensions-v1_0-20080916-C.xsd';

const simservsParts = [
  'XCAP',
  'communication-diversion',
  'communication-barring',
  'communication-waiting',
  'originating-identity-presentation',
  'terminating-identity-presentation',
  'flexible-alerting',
].map((name) => `3gpp/simservs/${name}.xsd`);

/** OMA's version 1.0.2 of the schema has the same remedy. */
const ambiguousRuleset: Repair = {
  file: listService,
  why: 'ruleset matches its own particle and the wildcard behind it (unique particle attribution)',
  find: '<xs:element ref="cr:ruleset" minOccurs="0"/>',
  replacement: '',
};

const groups: PublishedSchemas = {
  files: [listService, extensions, uriUsage, commonPolicy, omaCommonPolicy, resourceLists, xml],
  repairs: [ambiguousRuleset],
};

export const publishedSchemas: ReadonlyMap<string, PublishedSchemas> = new Map([
  ['org.3gpp.mcptt.service-config', { files: ['3gpp/mcptt-rel13/mcptt-service-config.xsd'] }],
  ['org.3gpp.mcptt.ue-config', { files: ['3gpp/mcptt-rel13/mcptt-ue-config.xsd', xml] }],
  ['org.3gpp.mcptt.ue-init-config', { files: ['3gpp/mcptt-rel13/mcptt-ue-init-config.xsd', xml] }],
  ['org.3gpp.mcptt.user-profile', { files: ['3gpp/mcptt-rel13/mcptt-user-profile.xsd', commonPolicy, xml] }],
  ['org.openmobilealliance.access-rules', { files: [commonPolicy, omaCommonPolicy] }],
  [
    'org.openmobilealliance.group-usage-list',
    { files: [resourceLists, uriUsage, 'oma/poc_pocusage-v1_0.xsd', extensions, xml] },
  ],
  ['org.openmobilealliance.groups', groups],
  ['org.openmobilealliance.locked-user-profile', { files: [userProfile, xml] }],
  ['org.openmobilealliance.poc-groups', groups],
  [
    'org.openmobilealliance.poc-rules',
    { files: ['oma/poc_pocRules-v1_0.xsd', commonPolicy, omaCommonPolicy] },
  ],
  ['org.openmobilealliance.pres-content', { files: ['oma/prs_presContent-v1_0.xsd', xml] }],
  [
    'org.openmobilealliance.pres-rules',
    { files: [commonPolicy, presRules, omaCommonPolicy, 'oma/prs_presRules-v1_0.xsd'] },
  ],
  ['org.openmobilealliance.user-profile', { files: [userProfile, xml] }],
  ['org.openmobilealliance.xcap-directory', { files: ['oma-xdm22/xdm_xcapDirectory-v1_0_3.xsd', xml] }],
  ['org.openxcap.dialog-rules', { files: ['vendor/ag-dialog-rules.xsd', commonPolicy] }],
  ['org.openxcap.watchers', { files: ['ietf/watcherinfo.xsd', xml] }],
  [
    'pidf-manipulation',
    {
      files: [
        ...['pidf', 'data-model', 'rpid', 'cipid', 'timed-status'].map((name) => `ietf/${name}.xsd`),
        xml,
      ],
    },
  ],
  ['pres-rules', { files: [commonPolicy, presRules] }],
  ['resource-lists', { files: [resourceLists, xml] }],
  ['rls-services', { files: ['ietf/rls-services.xsd', resourceLists, xml] }],
  [
    'simservs.ngn.etsi.org',
    {
      files: [...simservsParts, '3gpp/simservs/common-policy.xsd', '3gpp/simservs/xdm_commonPolicy-V1_0.xsd'],
    },
  ],
  ['xcap-caps', { files: ['ietf/xcap-caps.xsd'] }],
]);
