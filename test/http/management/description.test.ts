/** What openapi.yaml says of bodies is what the routes take. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import * as input from '../../../src/http/management/input.js';
import { packageFolder } from '../../../src/package-files.js';

interface Schema {
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
}

const { schemas } = (
  parse(readFileSync(join(packageFolder, 'openapi.yaml'), 'utf8')) as {
    readonly components: { readonly schemas: Record<string, Schema> };
  }
).components;

/** What both languages say alike: names, what is required, and lengths. */
function outline(schema: Schema): unknown {
  const { $ref, anyOf } = schema;
  if ($ref !== undefined) return outline(schemas[$ref.split('/').at(-1) ?? ''] ?? {});
  if (anyOf?.[0] !== undefined) return outline(anyOf[0]);
  const { properties, required, additionalProperties, items, maxItems } = schema;
  return {
    ...(properties && {
      properties: Object.fromEntries(
        Object.keys(properties)
          .toSorted()
          .map((name) => [name, outline(properties[name] ?? {})]),
      ),
      required: [...(required ?? [])].toSorted(),
      isClosed: additionalProperties === false,
    }),
    ...(items && { items: outline(items), maxItems }),
  };
}

t.test('bodies', (t) => {
  const bodies: readonly [name: string, schema: object][] = [
    ['NewSubscriber', input.subscriberBody],
    ['SubscriberChanges', input.subscriberChanges],
    ['NewIdentity', input.identityBody],
    ['Credentials', input.credentialsBody],
    ['NewGrant', input.grantBody],
    ['NewRole', input.roleBody],
    ['Restoration', input.restoreBody],
    ['ImportLine', input.importLine],
  ];
  for (const [name, schema] of bodies) t.same(outline(schemas[name] ?? {}), outline(schema), name);
  t.end();
});

t.test('every reference leads somewhere', (t) => {
  const text = readFileSync(join(packageFolder, 'openapi.yaml'), 'utf8');
  const root: unknown = parse(text);
  const references = new Set([...text.matchAll(/\$ref: '#\/([^']+)'/g)].map(([, path = '']) => path));
  t.ok(references.size > 40);
  for (const path of references) {
    const target = path
      .split('/')
      .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], root);
    t.ok(target, path);
  }
  t.end();
});
