import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readOptions } from '../../bench/options.js';

const root = 'http://127.0.0.1:8080/xcap-root';
const rootSentence = /^--peer takes an XCAP root such as http/;

t.test('a peer', (t) => {
  t.match(readOptions([]), { peer: undefined, peerPid: undefined, profile: false });
  t.match(readOptions(['--peer', root, '--peer-pid', String(process.pid), '--profile']), {
    peer: { origin: 'http://127.0.0.1:8080', pathname: '/xcap-root' },
    peerPid: process.pid,
    profile: true,
  });
  t.end();
});

const refused: readonly [argv: readonly string[], sentence: RegExp][] = [
  [['--peer', 'nonsense'], rootSentence],
  [['--peer', ''], rootSentence],
  [['--peer', 'ftp://127.0.0.1/xcap-root'], rootSentence],
  [['--peer', 'http://user@127.0.0.1/xcap-root'], rootSentence],
  [['--peer', 'http://user:secret@127.0.0.1/xcap-root'], rootSentence],
  [['--peer', 'http://:secret@127.0.0.1/xcap-root'], rootSentence],
  [['--peer', `${root}?a=b`], rootSentence],
  [['--peer', `${root}#a`], rootSentence],
  [['--peer-pid', String(process.pid)], /^--peer-pid needs --peer\.$/],
  [['--peer', root, '--peer-pid', '0'], /^--peer-pid takes a whole number greater than 0\.$/],
  [['--peer', root, '--peer-pid', 'one'], /^--peer-pid takes a whole number greater than 0\.$/],
  // More than Linux has.
  [['--peer', root, '--peer-pid', '5000000'], /^--peer-pid: there is no process 5000000\.$/],
  [['--rounds', '0'], /^--rounds takes a whole number greater than 0\.$/],
  [['--document', 'nonsense'], /^--document is one of resource-lists, simservs\.$/],
];

t.test('what is refused', (t) => {
  for (const [argv, message] of refused) t.throws(() => readOptions([...argv]), { message }, argv.join(' '));
  t.end();
});

t.test('the program', (t) => {
  const program = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
  const run = (...argv: string[]) => spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8' });
  const help = run('--help');
  t.equal(help.status, 0);
  for (const option of ['--peer URL', '--peer-pid N', '--profile']) t.match(help.stdout, option);
  const wrong = run('--peer', 'nonsense');
  t.equal(wrong.status, 1);
  t.match(wrong.stderr, /^bench: --peer takes an XCAP root/);
  t.end();
});
