import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import type { SourceElement, SourceTree } from '../../src/xcap/terms.js';
import { loadSchema, validate } from '../../src/xml/schema.js';
import { textOf } from '../../src/xml/text-content.js';
import { read } from '../../test/fixtures/source.js';
import { provisioning } from './provisioning.js';
import { commonPolicyNamespace, namespace, omaCommonPolicyNamespace } from './vocabulary.js';

const folder = join(packageFolder, 'auids/simservs.ngn.etsi.org');
const schema = loadSchema(join(folder, 'simservs.xsd'));
const readText = ({ text }: SourceTree, element: SourceElement) => textOf(text, element);

const bindings =
  `xmlns="${namespace}" xmlns:ss="${namespace}" xmlns:cp="${commonPolicyNamespace}" ` +
  `xmlns:ocp="${omaCommonPolicyNamespace}"`;

function profile(content: string): SourceTree {
  return read(`<simservs ${bindings}>${content}</simservs>`);
}

const reconcile = (model: SourceTree, text: string) => provisioning.reconcile(model, read(text), readText);
const violation = (model: SourceTree, current: string, next: string) =>
  provisioning.violation(model, read(current), read(next), readText);

/** The elements of services: `~` stands for the prefix that the document uses. */
const services: Readonly<Record<string, readonly string[]>> = {
  waiting: ['<~communication-waiting/>', '<~communication-waiting active="false"></~communication-waiting>'],
  presentation: ['<~originating-identity-presentation active="1"/>'],
  restriction: [
    '<~originating-identity-presentation-restriction><~default-behaviour>presentation-restricted</~default-behaviour></~originating-identity-presentation-restriction>',
  ],
  diversion: [
    `<~communication-diversion><~NoReplyTimer>20</~NoReplyTimer><cp:ruleset xmlns:cp="${commonPolicyNamespace}"/></~communication-diversion>`,
    `<~communication-diversion><r:ruleset xmlns:r="${commonPolicyNamespace}"><r:rule id="a"><r:conditions><~busy/></r:conditions></r:rule></r:ruleset></~communication-diversion>`,
  ],
  diversionCapabilities: [
    '<~communication-diversion-serv-cap/>',
    '<~communication-diversion-serv-cap><~serv-cap-conditions><~serv-cap-media><~media>audio</~media></~serv-cap-media></~serv-cap-conditions></~communication-diversion-serv-cap>',
    '<~communication-diversion-serv-cap >\n<~serv-cap-conditions><!-- one --><~serv-cap-media><~media> &#97;udio</~media></~serv-cap-media></~serv-cap-conditions>\n</~communication-diversion-serv-cap>',
    '<~communication-diversion-serv-cap><~serv-cap-conditions><~serv-cap-media><~media>video</~media></~serv-cap-media></~serv-cap-conditions></~communication-diversion-serv-cap>',
  ],
  barringCapabilities: [
    '<~communication-barring-serv-cap><~serv-cap-conditions><~serv-cap-roaming provisioned="false"/></~serv-cap-conditions></~communication-barring-serv-cap>',
    "<~communication-barring-serv-cap><~serv-cap-conditions><~serv-cap-roaming provisioned='false'/></~serv-cap-conditions></~communication-barring-serv-cap>",
    '<~communication-barring-serv-cap><~serv-cap-conditions><~serv-cap-roaming provisioned="true"/></~serv-cap-conditions></~communication-barring-serv-cap>',
  ],
  devices: [
    '<~multi-device><~ue-instance identity="1" alias="A"><~Registered-identity Activated="true"/></~ue-instance></~multi-device>',
    '<~multi-device><~ue-instance identity="2"/></~multi-device>',
  ],
};

const extensions = ['', '<~extensions/>', '<~extensions><x xmlns="urn:example:x"/></~extensions>'];
const spaces = ['', '\n', '\n  ', '<!-- ~ -->', '\r\n\t'];

/** The root's prefix and its declarations. */
const roots: readonly (readonly [prefix: string, declarations: string])[] = [
  ['', bindings],
  ['ss:', bindings],
  ['', `xmlns="${namespace}"`],
  ['ss:', `xmlns:ss="${namespace}"`],
  ['z:', `xmlns:z="${namespace}" xmlns:ss="urn:example:other" xmlns="urn:example:default"`],
];

/** Services in any order, each at most once. */
const content: fc.Arbitrary<string> = fc
  .shuffledSubarray(Object.values(services))
  .chain((chosen) =>
    fc.tuple(
      ...chosen.map((versions) =>
        fc.tuple(fc.constantFrom(...versions), fc.constantFrom(...spaces)).map((parts) => parts.join('')),
      ),
    ),
  )
  .map((parts) => parts.join(''));

const documents: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...roots),
    content,
    fc.constantFrom(...extensions),
    fc.constantFrom(...spaces),
    fc.boolean(),
  )
  .map(([[prefix, declarations], inside, last, space, isEmptyElementTag]) => {
    const body = `${space}${inside}${last}${space}`.replaceAll('~', prefix);
    const start = `<${prefix}simservs ${declarations} `;
    return body === '' && isEmptyElementTag ? `${start}/>` : `${start}>${body}</${prefix}simservs>`;
  });

const profiles: fc.Arbitrary<SourceTree> = fc
  .tuple(content, fc.constantFrom('', 'ss:'))
  .map(([inside, prefix]) => profile(inside.replaceAll('~', prefix)));

t.test('a document is as the profile wants it exactly where there is nothing to say about it', (t) => {
  fc.assert(
    fc.property(profiles, documents, (model, text) => {
      const isFit = violation(model, text, text) === undefined;
      return isFit === (reconcile(model, text) === text);
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test('a document once reconciled stays, and is valid', (t) => {
  fc.assert(
    fc.property(profiles, documents, (model, text) => {
      if (!validate(text, schema).valid) throw new Error(`not valid: ${text}`);
      const once = reconcile(model, text);
      const validity = validate(once, schema);
      return reconcile(model, once) === once && validity.valid;
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('a profile has nothing to say about itself', (t) => {
  fc.assert(
    fc.property(
      profiles,
      (model) =>
        violation(model, model.text, model.text) === undefined && reconcile(model, model.text) === model.text,
    ),
  );
  t.end();
});

t.test('nothing but the services changes', (t) => {
  const model = profile(
    '<communication-waiting/><ss:terminating-identity-presentation/>' +
      '<communication-barring-serv-cap><serv-cap-conditions><serv-cap-roaming provisioned="false"/></serv-cap-conditions></communication-barring-serv-cap>',
  );
  t.equal(
    reconcile(
      model,
      `<!-- a --><s:simservs xmlns:s='${namespace}' xmlns:ss="urn:x" s:y = 'z'>
  <s:communication-waiting  active='false' /> <!-- b -->
  <s:flexible-alerting-default/>
  <s:communication-barring-serv-cap/>
  <s:extensions><e xmlns="urn:e"/></s:extensions>
</s:simservs >\n`,
    ),
    `<!-- a --><s:simservs xmlns:s='${namespace}' xmlns:ss="urn:x" s:y = 'z'>
  <s:communication-waiting  active='false' /> <!-- b -->
  
  <communication-barring-serv-cap xmlns="${namespace}"><serv-cap-conditions><serv-cap-roaming provisioned="false"/></serv-cap-conditions></communication-barring-serv-cap>
  <ss:terminating-identity-presentation xmlns:ss="${namespace}"/>\n<s:extensions><e xmlns="urn:e"/></s:extensions>
</s:simservs >\n`,
  );
  t.equal(
    reconcile(model, `<simservs ${bindings} />`),
    `<simservs ${bindings} ><communication-waiting/>\n<ss:terminating-identity-presentation/>\n` +
      '<communication-barring-serv-cap><serv-cap-conditions><serv-cap-roaming provisioned="false"/></serv-cap-conditions></communication-barring-serv-cap>\n</simservs>',
  );
  t.end();
});

t.test('what a user may not change', (t) => {
  const capabilities =
    '<communication-barring-serv-cap><serv-cap-conditions><serv-cap-roaming provisioned="false"/></serv-cap-conditions></communication-barring-serv-cap>';
  const devices = (attributes: string, identities = '') =>
    `<multi-device><ue-instance ${attributes}>${identities}</ue-instance></multi-device>`;
  const cases: readonly [before: string, after: string, sentence: RegExp | undefined][] = [
    ['<communication-waiting/>', '<communication-waiting active="false"/>', undefined],
    ['<communication-waiting/>', '', /^Call waiting is part of your subscription and cannot be removed/],
    ['', '<communication-diversion/>', /^Call forwarding is not part of your subscription\.$/],
    [
      capabilities,
      capabilities.replace('false', 'true'),
      /^What call barring offers is set by your operator/,
    ],
    [capabilities, '', /^What call barring offers is set by your operator/],
    ['', capabilities, /^What call barring offers is set by your operator/],
    [capabilities, capabilities.replaceAll('"', "'").replaceAll('><', '> <'), undefined],
    [devices('identity="1" alias="a"'), devices('identity="1" alias="b"'), undefined],
    [devices('identity="1" alias="a"'), devices('identity="1"'), undefined],
    [devices('identity="1"'), devices('identity="2"'), /^Use of several devices is set up by your operator/],
    [
      devices('identity="1"', '<Shared-identity Activated="true">tel:1</Shared-identity>'),
      devices('identity="1"', '<Shared-identity Activated="false">tel:1</Shared-identity>'),
      undefined,
    ],
    [
      devices('identity="1"', '<Shared-identity Activated="true">tel:1</Shared-identity>'),
      devices('identity="1"', '<Shared-identity Activated="true">tel:2</Shared-identity>'),
      /set up by your operator/,
    ],
    [
      devices('identity="1"', '<Shared-identity/>'),
      devices('identity="1"', '<Shared-identity/><Shared-identity/>'),
      /set up by your operator/,
    ],
    [
      '<multi-identity><Delegated-user Activated="true">sip:b@example.com</Delegated-user></multi-identity>',
      '<multi-identity><Delegated-user Activated="0">sip:b@example.com</Delegated-user></multi-identity>',
      undefined,
    ],
    [
      '<multi-identity><Delegated-user Activated="true">sip:b@example.com</Delegated-user></multi-identity>',
      '<multi-identity active="false"><Delegated-user Activated="true">sip:b@example.com</Delegated-user></multi-identity>',
      /^Use of several numbers is set up by your operator/,
    ],
    ['', '<extensions><x xmlns="urn:example:x"/></extensions>', undefined],
  ];
  for (const [before, after, sentence] of cases) {
    const model = profile(before);
    const said = violation(model, model.text, profile(after).text);
    if (sentence === undefined) t.equal(said, undefined, after);
    else t.match(said, sentence, after);
  }
  t.end();
});

t.test('profiles', (t) => {
  const faultOf = (text: string) => provisioning.profileFault(read(text));
  t.equal(faultOf(`<simservs ${bindings}/>`), undefined);
  for (const prefix of ['xmlns="', 'xmlns:ss', 'xmlns:cp', 'xmlns:ocp']) {
    const text = `<z:simservs xmlns:z="${namespace}" ${bindings.replace(prefix, prefix.replace('xmlns', 'xmlns:y'))}/>`;
    t.match(faultOf(text.replaceAll(/xmlns:y:(\w+)/g, 'xmlns:y$1')), `declare ${prefix.replace('="', '')}=`);
  }
  t.match(
    faultOf(`<simservs ${bindings}><communication-waiting/><ss:communication-waiting/></simservs>`),
    /'communication-waiting' .* more than once/,
  );
  for (const name of ['residential', 'prepaid']) {
    const text = readFileSync(join(packageFolder, `profiles/simservs.ngn.etsi.org/${name}.xml`), 'utf8');
    t.equal(faultOf(text), undefined, name);
    t.same(validate(text, schema), { valid: true });
  }
  t.end();
});
