/** Where the server is, and what proves that one may. */
import http from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../fixtures/command-line.js';
import { listen } from '../fixtures/identity-server.js';
import { startServer } from '../fixtures/xcap-server.js';

const token = 'correct-horse-battery';

t.test('tokens', async (t) => {
  const { managementPort } = await startServer(t, { environment: { ADMIN_TOKEN: token } });
  const url = `http://127.0.0.1:${managementPort}`;
  const folder = t.testdir({
    tokens: `# comment\n\nops ${token}\nother wrong\n`,
    bare: `${token}\n`,
    empty: '# none\n',
  });
  const list = (environment: Record<string, string>, ...words: string[]) =>
    runCommand(['user', 'list', ...words], { environment });

  t.match(await list({ XCAPD_URL: url, ADMIN_TOKEN: token }), { code: 0, stdout: '' });
  t.match(await list({ ADMIN_TOKEN: token }, '--url', `${url}/`), { code: 0, stdout: '' });
  for (const file of ['tokens', 'bare']) {
    t.match(await list({ XCAPD_URL: url, XCAP_ADMIN_TOKEN_FILE: join(folder, file) }), { code: 0 }, file);
  }
  const missing = await list({ XCAPD_URL: url });
  t.equal(missing.code, 1);
  t.match(missing.stderr, /^xcapd: .*token.* Set ADMIN_TOKEN or XCAP_ADMIN_TOKEN_FILE\.\n$/);
  t.match(await list({ XCAPD_URL: url, ADMIN_TOKEN: 'wrong' }), { code: 1, stderr: /Set ADMIN_TOKEN/ });
  t.match(await list({ XCAPD_URL: url, ADMIN_TOKEN: 'with blank' }), { code: 2, stderr: /ADMIN_TOKEN has/ });
  for (const file of ['empty', 'none']) {
    const environment = { XCAPD_URL: url, XCAP_ADMIN_TOKEN_FILE: join(folder, file) };
    t.match(await list(environment), { code: 2, stderr: /^xcapd: XCAP_ADMIN_TOKEN_FILE / }, file);
  }
  const help = await runCommand(['user', 'list', '--help']);
  t.notMatch(help.stdout, /--token/);
});

t.test('a server that is not there, or is another one', async (t) => {
  const list = (url: string) => runCommand(['user', 'list', '--url', url]);
  const closed = http.createServer();
  const port = await listen(t, closed);
  closed.close();
  t.match(await list(`http://127.0.0.1:${port}`), {
    code: 3,
    stdout: '',
    stderr: /cannot be reached: .*ECONNREFUSED/,
  });
  t.match(await list('http://xcapd.invalid'), { code: 3, stderr: /^xcapd: .* cannot be reached: .*\n$/ });
  for (const url of ['127.0.0.1:8081', 'ftp://h/', 'http://user:topsecret@h/']) {
    const { code, stderr } = await list(url);
    t.equal(code, 2, url);
    t.match(stderr, /^xcapd: .*URL.*\n$/, url);
    t.notMatch(stderr, /topsecret/);
  }

  let status = 200;
  const other = http.createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html>');
  });
  const url = `http://127.0.0.1:${await listen(t, other)}`;
  t.match(await list(url), { code: 3, stderr: /cannot be reached/ }, 'no JSON');
  status = 404;
  t.match(await list(url), { code: 1, stderr: /answered with status 404\.\n$/ });
  status = 502;
  t.match(await list(url), { code: 3, stderr: /answered with status 502\.\n$/ });
});
