/** The documents that the benchmarks read and write. All of them are made up, with names that stay the same. */

/** A document, an element of it, and how a request names both. */
export interface Material {
  readonly auid: string;
  readonly name: string;
  readonly mediaType: string;
  /** Two versions of the same length that differ in the element, so that writing them in turn changes something. */
  readonly documents: readonly [string, string];
  readonly elements: readonly [string, string];
  /** Node selector of the element with its query, percent-encoded. */
  readonly nodeSelector: string;
}

export const elementMediaType = 'application/xcap-el+xml';

const contacts = Array.from({ length: 24 }, (_, i) => contact(i + 1));
const rules = Array.from({ length: 8 }, (_, i) => diversionRule(i + 1));

/** One contact of a list: the element a presence client writes when somebody is renamed. */
function contact(number: number): string {
  return [
    `<entry uri="sip:contact${number}@ims.example.com">`,
    `      <display-name xml:lang="en">Contact number ${number}</display-name>`,
    '    </entry>',
  ].join('\n');
}

/** One rule of call forwarding: the element a handset writes. */
function diversionRule(number: number): string {
  return [
    `<cp:rule id="forward-${number}">`,
    `        <cp:conditions><cp:identity><cp:one id="tel:+1555010${1000 + number}"/></cp:identity><busy/></cp:conditions>`,
    '        <cp:actions><forward-to>',
    `          <target>tel:+1555010${2000 + number}</target><notify-caller>true</notify-caller>`,
    '        </forward-to></cp:actions>',
    '      </cp:rule>',
  ].join('\n');
}

function versions(
  document: string,
  element: string,
  changed: string,
): Pick<Material, 'documents' | 'elements'> {
  return { documents: [document, document.replace(element, changed)], elements: [element, changed] };
}

const resourceLists: Material = {
  auid: 'resource-lists',
  name: 'index',
  mediaType: 'application/resource-lists+xml',
  ...versions(
    `<?xml version="1.0" encoding="UTF-8"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists">
  <list name="friends">
    ${contacts.join('\n    ')}
  </list>
</resource-lists>
`,
    contact(12),
    contact(12).replace('Contact', 'Kontakt'),
  ),
  nodeSelector:
    'resource-lists/list%5B@name=%22friends%22%5D/entry%5B@uri=%22sip:contact12@ims.example.com%22%5D',
};

const simservs: Material = {
  auid: 'simservs.ngn.etsi.org',
  name: 'simservs.xml',
  mediaType: 'application/vnd.etsi.simservs+xml',
  ...versions(
    `<?xml version="1.0" encoding="UTF-8"?>
<simservs xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap" xmlns:cp="urn:ietf:params:xml:ns:common-policy">
  <originating-identity-presentation active="true"/>
  <originating-identity-presentation-restriction active="true">
    <default-behaviour>presentation-not-restricted</default-behaviour>
  </originating-identity-presentation-restriction>
  <communication-diversion active="true">
    <NoReplyTimer>20</NoReplyTimer>
    <cp:ruleset>
      ${rules.join('\n      ')}
    </cp:ruleset>
  </communication-diversion>
  <communication-waiting active="true"/>
</simservs>
`,
    diversionRule(4),
    diversionRule(4).replace('+1555010200', '+1555010300'),
  ),
  nodeSelector:
    'simservs/communication-diversion/cp:ruleset/cp:rule%5B@id=%22forward-4%22%5D' +
    '?xmlns(cp=urn:ietf:params:xml:ns:common-policy)',
};

/** By the name that the command line has for them. */
export const materials: Readonly<Record<string, Material>> = { 'resource-lists': resourceLists, simservs };
