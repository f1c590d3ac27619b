/** What the server counts, as Prometheus wants it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageFolder } from '../../src/package-files.js';
import { needs, peerProgram } from '../fixtures/peers.js';
import { startServer } from '../fixtures/xcap-server.js';

const index = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
const wrong = { authorization: `Basic ${Buffer.from('alice@example.com:wrong').toString('base64')}` };

async function metricsAfterSomeRequests(t: Parameters<typeof startServer>[0]): Promise<string> {
  const { send, manage } = await startServer(t, {
    environment: { XCAP_IDENTITY_METHODS: 'asserted-identity,basic' },
  });
  await send('GET', index);
  await send('PUT', index, { body: '<bad/>' });
  await send('GET', index, { as: null });
  await send('GET', index, { as: null, headers: wrong });
  await manage('GET', '/api/v1/subscribers/sip:alice@example.com');
  await manage('GET', '/elsewhere');
  return (await manage('GET', '/metrics')).body;
}

t.test('logins, the management listener, and what runs', async (t) => {
  const text = await metricsAfterSomeRequests(t);
  for (const line of [
    'xcapd_logins_total{scheme="asserted-identity",outcome="succeeded"} 2',
    'xcapd_logins_total{scheme="",outcome="challenged"} 1',
    'xcapd_logins_total{scheme="basic",outcome="refused"} 1',
    'xcapd_management_requests_total{method="GET",route="/api/v1/subscribers/:xui",status="404"} 1',
    'xcapd_management_requests_total{method="GET",route="",status="404"} 1',
    'xcapd_certificate_expiry_timestamp_seconds 0',
    'xcapd_management_certificate_expiry_timestamp_seconds 0',
    'xcapd_conflicts_total{usage="resource-lists",condition="schema-validation-error"} 1',
  ]) {
    t.match(text, `${line}\n`, line);
  }
  t.match(text, /^xcapd_build_info\{version="[\d.]+",node="[\d.]+"\} 1$/m);
});

t.test('promtool finds nothing to say of the metrics', needs('promtool'), async (t) => {
  const input = await metricsAfterSomeRequests(t);
  const { stdout, stderr } = spawnSync(peerProgram('promtool'), ['check', 'metrics'], {
    input,
    encoding: 'utf8',
  });
  const ours = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line.includes('xcapd_') || line.includes('error'));
  t.same(ours, [], 'but of those of the library');
});

t.test('the alert rules', needs('promtool'), async (t) => {
  const file = join(packageFolder, 'examples/prometheus-rules.yml');
  const { status, stdout, stderr } = spawnSync(peerProgram('promtool'), ['check', 'rules', file], {
    encoding: 'utf8',
  });
  t.equal(status, 0, `${stdout}${stderr}`);
  const text = await metricsAfterSomeRequests(t);
  const names = new Set(readFileSync(file, 'utf8').match(/\bxcapd_\w+/g));
  t.ok(names.size >= 6);
  // The supervisor counts these.
  names.delete('xcapd_worker_deaths_total');
  for (const name of names) t.match(text, new RegExp(`^${name}\\b`, 'm'), `${name} is there`);
});
