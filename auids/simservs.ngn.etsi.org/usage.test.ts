import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { loadSchema, validate } from '../../src/xml/schema.js';
import { textOf } from '../../src/xml/text-content.js';
import { read } from '../../test/fixtures/source.js';
import { usage } from './usage.js';
import { commonPolicyNamespace, namespace, omaCommonPolicyNamespace } from './vocabulary.js';

const schema = loadSchema(join(packageFolder, 'auids', usage.auid, usage.schema));

function simservs(content: string): string {
  return (
    `<simservs xmlns="${namespace}" xmlns:cp="${commonPolicyNamespace}" ` +
    `xmlns:ocp="${omaCommonPolicyNamespace}">${content}</simservs>`
  );
}

function faultOf(content: string): string | undefined {
  const { text, root } = read(simservs(content));
  if (!validate(text, schema).valid) throw new Error(`the schema refuses ${content}`);
  return usage.constraints(root, {
    document: { tree: 'users', auid: usage.auid, xui: 'sip:alice@example.com', path: ['simservs.xml'] },
    xcapRoots: [''],
    hostnames: [],
    textOf: (element) => textOf(text, element),
  });
}

interface Rule {
  readonly conditions?: string;
  readonly settings?: string;
  readonly target?: string;
}

function ruleset({ conditions = '', settings = '', target = 'tel:+15550100002' }: Rule): string {
  const actions = `<forward-to><target>${target}</target>${settings}</forward-to>`;
  return `<cp:ruleset><cp:rule id="r"><cp:conditions>${conditions}</cp:conditions><cp:actions>${actions}</cp:actions></cp:rule></cp:ruleset>`;
}

function diversion(capabilities: string, rule: Rule): string {
  return (
    `<communication-diversion>${ruleset(rule)}</communication-diversion>` +
    `<communication-diversion-serv-cap>${capabilities}</communication-diversion-serv-cap>`
  );
}

const conditionsOffered = (members: string) => `<serv-cap-conditions>${members}</serv-cap-conditions>`;
const actionsOffered = (members: string) => `<serv-cap-actions>${members}</serv-cap-actions>`;

const identity = '<cp:identity><cp:one id="tel:+15550100003"/></cp:identity>';
const validity =
  '<cp:validity><cp:from>2026-03-01T22:00:00Z</cp:from><cp:until>2026-03-02T06:00:00Z</cp:until></cp:validity>';
const presence = '<presence-status>away</presence-status>';
const list = '<ocp:external-list/>';

t.test('conditions of call forwarding that are not provisioned', (t) => {
  const cases: readonly [capability: string, condition: string, words: string][] = [
    ['anonymous', '<anonymous/>', 'of anonymous callers'],
    ['anonymous', '<ocp:anonymous-request/>', 'of anonymous callers'],
    ['busy', '<busy/>', 'when you are on the phone'],
    ['external-list', list, 'of callers in a contact list'],
    ['identity', identity, 'of chosen callers'],
    ['no-answer', '<no-answer/>', 'when you do not answer'],
    ['not-reachable', '<not-reachable/>', 'when you cannot be reached'],
    ['not-registered', '<not-registered/>', 'when your phone is switched off'],
    ['presence-status', presence, 'by your presence status'],
    ['rule-deactivated', '<rule-deactivated/>', 'with rules that are kept switched off'],
    ['unconditional', '', 'of all calls'],
    ['validity', validity, 'for a limited time'],
  ];
  for (const [capability, conditions, words] of cases) {
    const faultWith = (provisioned: string) =>
      faultOf(diversion(conditionsOffered(`<serv-cap-${capability}${provisioned}/>`), { conditions }));
    const sentence = `Call forwarding ${words} is not part of your subscription (rule 'r').`;
    t.equal(faultWith(' provisioned="false"'), sentence);
    t.equal(faultWith(' provisioned="0"'), sentence, `${capability}, as 0`);
    t.equal(faultWith(' provisioned="1"'), undefined, `${capability} is provisioned`);
    t.equal(faultWith(''), undefined, `${capability} is provisioned where nothing is said`);
    const other = `<serv-cap-${capability === 'busy' ? 'no-answer' : 'busy'} provisioned="false"/>`;
    t.equal(
      faultOf(diversion(conditionsOffered(other), { conditions })),
      undefined,
      `${capability}: no word`,
    );
  }
  t.end();
});

t.test('settings of call forwarding that are not provisioned', (t) => {
  const cases: readonly [setting: string, value: string, words: RegExp][] = [
    ['notify-caller', 'true', /notice to the caller/],
    ['notify-served-user', 'true', /notice to you/],
    ['notify-served-user-on-outbound-call', 'true', /reminder when you call/],
    ['reveal-identity-to-caller', 'false', /caller sees the new number/],
    ['reveal-served-user-identity-to-caller', 'false', /caller sees your number/],
    ['reveal-identity-to-target', 'false', /new number sees yours/],
  ];
  for (const [setting, value, words] of cases) {
    const rule = { conditions: '<busy/>', settings: `<${setting}>${value}</${setting}>` };
    const faultWith = (provisioned: string) =>
      faultOf(diversion(actionsOffered(`<serv-cap-${setting} provisioned="${provisioned}"/>`), rule));
    t.match(faultWith('false'), words);
    t.equal(faultWith('true'), undefined, setting);
  }
  t.end();
});

t.test('media and targets of call forwarding', (t) => {
  const audio = { conditions: '<media>audio</media>' };
  const video = { conditions: '<media> Video </media>' };
  const media = (statement: string) => conditionsOffered(`<serv-cap-media>${statement}</serv-cap-media>`);
  t.equal(faultOf(diversion(media('<all-media/>'), video)), undefined);
  t.equal(faultOf(diversion(media('<media>audio</media><media>video</media>'), video)), undefined);
  t.equal(faultOf(diversion(media('<vendor xmlns="urn:example:vendor"/>'), video)), undefined);
  t.match(faultOf(diversion(media('<media>audio</media>'), video)), /by the medium 'Video'/);
  t.match(faultOf(diversion(media('<no-media/>'), audio)), /by the medium 'audio'/);
  t.equal(faultOf(diversion(media('<no-media/>'), { conditions: '<busy/>' })), undefined);

  const telephony = actionsOffered('<serv-cap-target><telephony-type/></serv-cap-target>');
  const any = actionsOffered('<serv-cap-target><any-target-type/></serv-cap-target>');
  for (const target of [
    '',
    'tel:+15550100002',
    'TEL:100;phone-context=example.com',
    'sip:+15550100002@example.com;user=phone',
    'sip:%2B15550100002@example.com',
    'sips:100;phone-context=example.com@example.com',
    'sip:voicemail@example.com;user=phone?Subject=x',
  ]) {
    t.equal(faultOf(diversion(telephony, { target })), undefined, target);
  }
  t.match(faultOf(diversion(telephony, { target: '+15550100077' })), /is written tel:\+15550100077\)/);
  for (const target of ['sip:bob@example.com', 'mailto:bob@example.com', 'sip:bob@example.com?user=phone']) {
    t.match(faultOf(diversion(telephony, { target })), /no telephone numbers/, target);
    t.equal(faultOf(diversion(any, { target })), undefined, target);
  }
  t.end();
});

t.test('conditions of barring that are not provisioned', (t) => {
  const cases: readonly [capability: string, condition: string][] = [
    ['anonymous', '<anonymous/>'],
    ['anonymous', '<ocp:anonymous-request/>'],
    ['communication-diverted', '<communication-diverted/>'],
    ['external-list', list],
    ['identity', identity],
    ['international', '<international/>'],
    ['international-exHC', '<international-exHC/>'],
    ['other-identity', '<ocp:other-identity/>'],
    ['presence-status', presence],
    ['roaming', '<roaming/>'],
    ['rule-deactivated', '<rule-deactivated/>'],
    ['validity', validity],
  ];
  const barring = (direction: string, members: string, conditions: string) =>
    `<${direction}-communication-barring>${ruleset({ conditions })}</${direction}-communication-barring>` +
    `<communication-barring-serv-cap>${conditionsOffered(members)}</communication-barring-serv-cap>`;
  for (const direction of ['incoming', 'outgoing']) {
    for (const [capability, condition] of cases) {
      const members = (provisioned: string) => `<serv-cap-${capability} provisioned="${provisioned}"/>`;
      const sentence = new RegExp(
        `^Barring of ${direction} calls .* is not part of your subscription \\(rule 'r'\\)\\.$`,
      );
      t.match(faultOf(barring(direction, members('false'), condition)), sentence, capability);
      t.equal(faultOf(barring(direction, members('true'), condition)), undefined, capability);
    }
    const media = '<serv-cap-media><media>audio</media></serv-cap-media>';
    t.match(faultOf(barring(direction, media, '<media>video</media>')), /medium 'video'/);
  }
  t.end();
});

t.test('each statement is about its own service', (t) => {
  const anonymousBarred = `<incoming-communication-barring>${ruleset({ conditions: '<anonymous/>' })}</incoming-communication-barring>`;
  const notForwarded = `<communication-diversion-serv-cap>${conditionsOffered('<serv-cap-anonymous provisioned="false"/>')}</communication-diversion-serv-cap>`;
  t.equal(faultOf(anonymousBarred + notForwarded), undefined);
  t.equal(faultOf(diversion('', { conditions: '<anonymous/>' })), undefined, 'no statement at all');
  t.end();
});

t.test('services without a vocabulary of the user are refused', (t) => {
  // TS 24.605, 24.606, 24.610, 24.616, 24.629, 24.642, 24.647, 24.654.
  for (const name of [
    'conference',
    'message-waiting-indication',
    'communication-hold',
    'malicious-communication-identification',
    'explicit-communication-transfer',
    'completion-of-communication-busy',
    'advice-of-charge',
    'closed-user-group',
    'operator-communication-hold',
  ]) {
    t.equal(validate(simservs(`<${name} active="true"/>`), schema).valid, false, name);
  }
  t.end();
});
