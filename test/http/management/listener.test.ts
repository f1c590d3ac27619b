import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { packageFolder } from '../../../src/package-files.js';
import { startServer } from '../../fixtures/xcap-server.js';

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, unknown> }>>;
}

const description = parse(readFileSync(join(packageFolder, 'openapi.yaml'), 'utf8')) as OpenApi;

t.test('openapi.yaml and the routes agree, both ways', async (t) => {
  const { app } = await startServer(t);
  const described = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // The page that shows the description is not part of the API.
  const registered = app.listeners.managementRoutes.filter((route) => !route.includes(' /docs'));
  t.same(registered.toSorted(), described.toSorted());
  t.match(description.openapi, /^3\./);
});

t.test('every described operation answers as described', async (t) => {
  const { manage } = await startServer(t);
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, { responses }] of Object.entries(operations)) {
      const { status } = await manage(method.toUpperCase(), path);
      t.ok(Object.keys(responses).includes(String(status)), `${method} ${path}: ${status}`);
    }
  }
});

t.test('health', async (t) => {
  const { manage } = await startServer(t);
  t.same(JSON.parse((await manage('GET', '/health/live')).body), { status: 'live' });
  t.same(JSON.parse((await manage('GET', '/health/ready')).body), { status: 'ready' });
});

t.test('the description and the page to read it', async (t) => {
  const { manage } = await startServer(t);
  const served = await manage('GET', '/openapi.yaml');
  t.same(parse(served.body), description);
  t.match((await manage('GET', '/docs/')).body, /<title>.*<\/title>/);
  t.same((JSON.parse((await manage('GET', '/docs/json')).body) as OpenApi).paths, description.paths);
});

t.test('metrics', async (t) => {
  const { send, manage } = await startServer(t);
  const list = '/xcap-root/resource-lists/users/sip:alice@example.com/index';
  await send('PUT', list, { body: '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>' });
  await send('PUT', list, { body: '<resource-lists' });
  await send('GET', `${list}/~~/resource-lists`);
  await send('GET', list);
  await send('GET', '/elsewhere');
  const { body, headers } = await manage('GET', '/metrics');
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'xcapd_requests_total{method="PUT",usage="resource-lists",resource="document",status="201"} 1',
    'xcapd_requests_total{method="PUT",usage="resource-lists",resource="document",status="409"} 1',
    'xcapd_requests_total{method="GET",usage="resource-lists",resource="element",status="200"} 1',
    'xcapd_requests_total{method="GET",usage="",resource="none",status="404"} 1',
    'xcapd_conflicts_total{usage="resource-lists",condition="not-well-formed"} 1',
    'xcapd_request_duration_seconds_count{method="GET",resource="element"} 1',
    'xcapd_cache_documents 1',
    'xcapd_cache_hits_total 2',
  ]) {
    t.ok(body.split('\n').includes(line), line);
  }
  for (const name of [
    'database_pool_connections',
    'database_pool_idle',
    'database_pool_waiting',
    'cache_bytes',
  ]) {
    t.match(body, new RegExp(`^xcapd_${name} \\d+$`, 'm'), name);
  }
});

t.test('the listeners keep apart', async (t) => {
  const { send, manage } = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  t.equal((await send('GET', '/health/live')).status, 404);
  t.equal((await send('GET', '/metrics')).status, 404);
  t.equal((await manage('GET', '/xcap-caps/global/index')).status, 404);
});
