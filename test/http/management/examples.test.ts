/** What the description shows is what the API takes: `/docs` sends it unchanged. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { parse } from 'yaml';
import { packageFolder } from '../../../src/package-files.js';
import { managementClient } from '../../fixtures/management-client.js';
import { startServer, type TestServer } from '../../fixtures/xcap-server.js';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly example?: string;
}

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly ({ readonly $ref: string } | Parameter)[];
  readonly requestBody?: { readonly content: Record<string, { readonly example?: unknown }> };
}

const { paths, components } = parse(readFileSync(join(packageFolder, 'openapi.yaml'), 'utf8')) as {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly parameters: Record<string, Parameter> };
};

function parametersOf({ parameters = [] }: Operation): Parameter[] {
  return parameters.flatMap((one) =>
    '$ref' in one ? (components.parameters[one.$ref.split('/').at(-1) ?? ''] ?? []) : one,
  );
}

/** The target with the examples of its parameters, encoded as the page encodes them. */
function targetOf(path: string, parameters: readonly Parameter[]): string {
  const exampleOf = (name: string) =>
    encodeURIComponent(parameters.find((parameter) => parameter.name === name)?.example ?? '');
  const query = parameters.filter((one) => one.in === 'query' && one.example !== undefined);
  const target = path.replace(/\{(\w+)\}/g, (_, name: string) => exampleOf(name));
  return (
    target + (query.length === 0 ? '' : `?${query.map(({ name }) => `${name}=${exampleOf(name)}`).join('&')}`)
  );
}

const list = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';
const example = (name: string) => components.parameters[name]?.example ?? '';

/** Alice as the examples know her, and nobody else. */
async function prepare({ manage, database }: TestServer): Promise<void> {
  const ask = managementClient(manage);
  for (const xui of ['sip:alice@example.com', 'sip:bob@example.com', 'sip:carol@example.com']) {
    await ask('DELETE', `/subscribers/${xui}`);
  }
  await ask('POST', '/subscribers', { xui: example('Xui'), identities: [example('Identity')] });
  await ask('PUT', `/roles/${example('Xui')}`, { role: 'support' });
  for (const place of ['users/sip:alice@example.com', 'global']) {
    await manage('PUT', `/api/v1/documents/resource-lists/${place}/index`, { body: list });
  }
  const client = new pg.Client(database);
  await client.connect();
  await client.query(
    "insert into xcapd.grants (id, xui, grantee, access, expires_at, created_by) values ($1, $2, 'sip:bob@example.com', 'read', '2099-01-01', 'test')",
    [example('GrantId'), example('Xui')],
  );
  await client.end();
}

t.test('each example is answered with success', async (t) => {
  const server = await startServer(t);
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      await prepare(server);
      const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
      if (content !== undefined) t.ok(content.example, `${operation.operationId} has an example`);
      const body = typeof content?.example === 'string' ? content.example : JSON.stringify(content?.example);
      const answer = await server.manage(method.toUpperCase(), targetOf(path, parametersOf(operation)), {
        headers: type === undefined ? {} : { 'content-type': type },
        ...(content === undefined ? {} : { body }),
      });
      t.ok(
        answer.status >= 200 && answer.status < 300,
        `${operation.operationId}: ${answer.status} ${answer.body}`,
      );
    }
  }
});

t.test('methods that are not defined', async (t) => {
  const { manage } = await startServer(t);
  for (const path of Object.keys(paths)) {
    const defined = Object.keys(paths[path] ?? {}).map((method) => method.toUpperCase());
    const other = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'].find((method) => !defined.includes(method)) ?? '';
    const operations = Object.values(paths[path] ?? {});
    const target = targetOf(path, operations.flatMap(parametersOf)).replace(/\?.*/, '');
    const headers = { 'content-type': 'text/strange' };
    const answer = await manage(other, target, { headers, body: 'x' });
    t.equal(answer.status, 405, `${other} ${path}`);
    for (const method of defined) t.match(answer.headers.allow, method, path);
  }
  t.equal((await manage('GET', '/api/v1/nothing')).status, 404);
});
