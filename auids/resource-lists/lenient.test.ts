/** Address books of telephones, which write entries without URI and elements of their own (`XCAP_LENIENT_USAGES`). */
import t from 'tap';
import { usageFolders } from '../../src/package-files.js';
import { loadUsages } from '../../src/usages/registry.js';
import { schemaFault } from '../../src/xcap/usage/validate.js';
import { read } from '../../test/fixtures/source.js';
import { startServer } from '../../test/fixtures/xcap-server.js';

const namespaces = 'xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="counterpath:properties"';
const document = (content: string) => `<resource-lists ${namespaces}>${content}</resource-lists>`;
const list = (content: string) => document(`<list name="a">${content}</list>`);

const name = '<display-name>Max</display-name>';
const property = '<cp:prop name="given_name" value="Max"/>';

const nowValid = [
  list(`<entry>${name}${property}</entry>`),
  list(`<entry uri="sip:max@example.com">${property}${name}${property}</entry>`),
  list(`<cp:group_prop name="expanded" value="true"/><entry>${name}</entry>${property}<entry/>`),
  list(`${property}${name}<entry/>${property}<list>${property}<list/></list><external/><entry-ref ref="a"/>`),
  list(`<entry><prop xmlns="" name="x"/></entry>`),
  document(`${property}<list/>${property}`),
];

const stillInvalid = [
  list(`<entry>${name}${name}</entry>`),
  list(`${name}<entry/>${property}${name}`),
  list('<entry name="x"/>'),
  list('<entry><list/></entry>'),
  list(`<entry><note/></entry>`),
  list('<entry-ref/>'),
  document(name),
  `<list ${namespaces}/>`,
];

t.test('the lenient schema accepts more than the letter, and not all', async (t) => {
  const choices = { optionalUsages: [], policies: new Map<string, string>() };
  const strict = (await loadUsages([usageFolders], choices)).get('resource-lists');
  const lenientUsages = ['resource-lists'];
  const lenient = (await loadUsages([usageFolders], { ...choices, lenientUsages })).get('resource-lists');
  if (strict === undefined || lenient === undefined) throw new Error('the usage is not served');
  for (const text of nowValid) {
    t.not(schemaFault(read(text), strict), undefined, `by the letter: ${text}`);
    t.equal(schemaFault(read(text), lenient), undefined, text);
  }
  for (const text of stillInvalid) t.not(schemaFault(read(text), lenient), undefined, text);
});

t.test('an address book with entries that have no URI', async (t) => {
  const { send } = await startServer(t, {
    environment: { XCAP_ROOTS: '/', XCAP_LENIENT_USAGES: 'resource-lists' },
  });
  const book = '/resource-lists/users/sip:alice@example.com/contacts-resource-list.xml';
  const entry = `<entry>${name}${property}</entry>`;
  const body = list(`<cp:group_prop name="expanded" value="true"/>${entry}`);
  t.equal((await send('PUT', book, { body })).status, 201);
  t.equal((await send('GET', book)).body, body, 'byte for byte');
  t.equal((await send('GET', `${book}/~~/resource-lists/list/entry%5B1%5D`)).status, 200);
  const second = await send('PUT', `${book}/~~/resource-lists/list/entry%5B2%5D`, {
    headers: { 'content-type': 'application/xcap-el+xml' },
    body: '<entry><display-name>Eva</display-name></entry>',
  });
  t.equal(second.status, 201, 'a second one is no repetition of the first');
  const repeated = list('<entry uri="sip:a@example.com"/><entry/><entry uri="sip:a@example.com"/>');
  t.match((await send('PUT', book, { body: repeated })).body, '<uniqueness-failure ');
});
