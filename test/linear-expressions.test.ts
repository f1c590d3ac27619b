/**
 * Regular expressions that read what others write take time in proportion to its length: recheck proves it of each one in
 * src/ and auids/ that the compiler finds.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { checkSync, type Diagnostics } from 'recheck';
import t from 'tap';
import ts from 'typescript';
import { packageFolder } from '../src/package-files.js';

interface Expression {
  readonly source: string;
  readonly flags: string;
}

// Its other engines are programs, which are not there for every machine.
process.env.RECHECK_SYNC_BACKEND = 'pure';

/** No limits of time: the verdict is the same on any machine. */
const parameters = {
  timeout: null,
  attackTimeout: null,
  incubationTimeout: null,
  seedingTimeout: null,
  maxRepeatCount: 100,
};

function sourceFiles(): ts.SourceFile[] {
  return ['src', 'auids']
    .flatMap((folder) => readdirSync(join(packageFolder, folder), { recursive: true, withFileTypes: true }))
    .filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((file) =>
      ts.createSourceFile(
        relative(packageFolder, file),
        readFileSync(file, 'utf8'),
        ts.ScriptTarget.Latest,
        true,
      ),
    );
}

/** The expressions of a file, and the places of those whose text only a run would tell. */
function expressionsOf(file: ts.SourceFile): { expressions: Expression[]; unknown: string[] } {
  const expressions: Expression[] = [];
  const unknown: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isRegularExpressionLiteral(node)) expressions.push(expressionOf(node));
    if (isConstruction(node)) {
      const [source, flags] = (node.arguments ?? []).map((argument) => constantText(argument, file));
      if (source === undefined || (node.arguments?.length === 2 && flags === undefined)) {
        unknown.push(`${file.fileName}: ${node.getText()}`);
      } else {
        expressions.push({ source, flags: flags ?? '' });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { expressions, unknown };
}

function expressionOf({ text }: ts.RegularExpressionLiteral): Expression {
  const end = text.lastIndexOf('/');
  return { source: text.slice(1, end), flags: text.slice(end + 1) };
}

function isConstruction(node: ts.Node): node is ts.NewExpression | ts.CallExpression {
  return (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp';
}

/** The text that an expression stands for where constants of the same file make it. */
function constantText(node: ts.Expression, file: ts.SourceFile): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isIdentifier(node)) return textOfConstant(node.text, file);
  if (ts.isPropertyAccessExpression(node) && node.name.text === 'source') {
    const value = ts.isIdentifier(node.expression) ? valueOf(node.expression.text, file) : undefined;
    return value !== undefined && ts.isRegularExpressionLiteral(value)
      ? expressionOf(value).source
      : undefined;
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return joined([constantText(node.left, file), constantText(node.right, file)]);
  }
  if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'String.raw') {
    return templateText(node.template, file, ({ rawText = '' }) => rawText);
  }
  return ts.isTemplateExpression(node) ? templateText(node, file, ({ text }) => text) : undefined;
}

function templateText(
  template: ts.TemplateLiteral,
  file: ts.SourceFile,
  textOf: (piece: ts.TemplateLiteralLikeNode) => string,
): string | undefined {
  if (ts.isNoSubstitutionTemplateLiteral(template)) return textOf(template);
  return joined([
    textOf(template.head),
    ...template.templateSpans.flatMap(({ expression, literal }) => [
      constantText(expression, file),
      textOf(literal),
    ]),
  ]);
}

function textOfConstant(name: string, file: ts.SourceFile): string | undefined {
  const value = valueOf(name, file);
  return value === undefined ? undefined : constantText(value, file);
}

/** What a constant at the top of the file is. */
function valueOf(name: string, file: ts.SourceFile): ts.Expression | undefined {
  return file.statements
    .filter(ts.isVariableStatement)
    .filter(({ declarationList }) => (declarationList.flags & ts.NodeFlags.Const) !== 0)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .find((declaration) => declaration.name.getText() === name)?.initializer;
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : parts.join('');
}

function verdictOn({ source, flags }: Expression): Diagnostics {
  return checkSync(source, flags, parameters);
}

t.test('what is not linear is told', async (t) => {
  const file = (text: string) => ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest, true);
  const [simple, made] = expressionsOf(
    file(
      "const some = 'a+'; const b = /b/; const x = [/^(?:x+)+$/i, new RegExp(`^${some}$` + b.source, 'u')];",
    ),
  ).expressions.slice(1);
  t.same(simple, { source: '^(?:x+)+$', flags: 'i' });
  t.same(made, { source: '^a+$b', flags: 'u' });
  t.match(expressionsOf(file('function f(x: string) { return new RegExp(x); }')).unknown, [
    'x.ts: new RegExp(x)',
  ]);
  for (const source of ['^(?:x+)+$', '/+$', '\\s*x?\\s*$', '<!--[^]*?-->']) {
    t.equal(verdictOn({ source, flags: 'g' }).status, 'vulnerable', source);
  }
});

t.test('all expressions are linear', async (t) => {
  const found = sourceFiles().map((file) => ({ file: file.fileName, ...expressionsOf(file) }));
  t.same(
    found.flatMap(({ unknown }) => unknown),
    [],
    'made of constants',
  );
  const places = new Map<string, Expression & { file: string }>();
  for (const { file, expressions } of found) {
    for (const { source, flags } of expressions) places.set(`/${source}/${flags}`, { file, source, flags });
  }
  t.ok(places.size > 100, `${places.size} expressions`);
  for (const [text, { file, ...expression }] of places) {
    const verdict = verdictOn(expression);
    const attack = verdict.status === 'vulnerable' ? verdict.attack.pattern : '';
    t.equal(verdict.status, 'safe', `${file}: ${text} ${attack}`);
  }
});
