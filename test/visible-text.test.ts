import Fastify from 'fastify';
import t from 'tap';
import { loggerOf } from '../src/http/log.js';
import { visibleText } from '../src/visible-text.js';
import { runCommand } from './fixtures/command-line.js';

t.test('what is seen', (t) => {
  for (const [text, seen] of [
    ['Zoë\t\u{1f600}\n', 'Zoë\t\u{1f600}\n'],
    ['\u009b2J', '\\u009b2J'],
    ['\x1b[2J\x7f\0', '\\u001b[2J\\u007f\\u0000'],
    ['a\u202eb\u2066c\u2028', 'a\\u202eb\\u2066c\\u2028'],
  ] as const) {
    t.equal(visibleText(text), seen);
  }
  const value = { name: 'a\u009b\u202e\x1b"\\' };
  t.same(JSON.parse(visibleText(JSON.stringify(value))), value, 'JSON stays the same');
  t.end();
});

t.test('the logs of listeners', (t) => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const { log } = Fastify({ logger: loggerOf({ level: 'info', stream }) });
  log.info({ err: new Error('of \u009b2J') }, 'name \u202e');
  t.equal(lines.length, 1);
  t.notMatch(lines[0], /[\u009b\u202e]/);
  t.match(JSON.parse(lines[0] ?? ''), { msg: 'name \u202e', err: { message: 'of \u009b2J' } });
  t.end();
});

t.test('the command line', async (t) => {
  const { stderr, code } = await runCommand([
    'check',
    '--usage',
    'resource-lists',
    '/nowhere/\u009b2J\u202e.xml',
  ]);
  t.not(code, 0);
  t.match(stderr, /nowhere/);
  t.notMatch(stderr, /[\u009b\u202e]/);
});
