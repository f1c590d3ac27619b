/** What a client may write at length takes no more than its length: a small request waits for none of it. */
import t from 'tap';
import { managementClient } from '../fixtures/management-client.js';
import { startServer, type RequestOptions } from '../fixtures/xcap-server.js';

const home = (auid: string) => `/xcap-root/${auid}/users/sip:alice@example.com/index`;

/** Of this process, so that a machine that others use changes nothing. The slowest of these took seconds; what is left is some tens. */
const generousMilliseconds = 1000;

function computed(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

t.test('long queries, headers and values', async (t) => {
  const { send, manage } = await startServer(t, {
    environment: { XCAP_IDENTITY_METHODS: 'asserted-identity,digest' },
  });
  const list = `http://${'a'.repeat(150_000)}\\`;
  const services =
    '<rls-services xmlns="urn:ietf:params:xml:ns:rls-services"><service uri="sip:team@example.com">' +
    `<resource-list>${list}</resource-list></service></rls-services>`;
  const cases: readonly [name: string, method: string, target: string, options: RequestOptions][] = [
    ['a query of one name', 'GET', `${home('resource-lists')}/~~/a?${'a'.repeat(29_900)}%C3%A9`, {}],
    ['blanks in a binding', 'GET', `${home('resource-lists')}/~~/a?xmlns(a=b${'%20'.repeat(9000)}c)`, {}],
    ['a host without an end', 'PUT', home('rls-services'), { body: services }],
  ];
  for (const [name, method, target, options] of cases) {
    const start = computed();
    const answers = await Promise.all([send(method, target, options), manage('GET', '/health/live')]);
    t.ok(
      computed() - start < generousMilliseconds,
      `${name}: ${answers.map(({ status }) => status).join(', ')}`,
    );
  }
  t.equal((await managementClient(manage)('GET', '/subscribers')).status, 200);
});
