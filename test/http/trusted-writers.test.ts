/** Servers that write the documents of users: an application server that executes star codes. */
import t from 'tap';
import { startServer } from '../fixtures/xcap-server.js';

const server = 'sip:as@example.com';
const alice = 'sip:alice@example.com';
const path = `simservs.ngn.etsi.org/users/${alice}/simservs.xml`;
const headers = { 'content-type': 'application/vnd.etsi.simservs+xml' };
const body =
  '<simservs xmlns="http://uri.etsi.org/ngn/params/xml/simservs/xcap"><communication-waiting active="true"/></simservs>';
const lists = '<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"/>';

t.test('a trusted writer writes the documents of its usage under its own name', async (t) => {
  const { send, manage } = await startServer(t, {
    environment: {
      XCAP_ROOTS: '/',
      XCAP_TRUSTED_ELEMENTS: 'sip:rls@example.com',
      XCAP_TRUSTED_WRITERS: 'as@EXAMPLE.com=simservs.ngn.etsi.org, sip:other@example.com=resource-lists',
    },
  });
  t.equal((await send('PUT', `/${path}`, { headers, body })).status, 201);
  const attribute = `/${path}/~~/simservs/communication-waiting/@active`;
  const starCode = {
    headers: { 'content-type': 'application/xcap-att+xml' },
    body: 'false',
  };
  t.equal((await send('PUT', attribute, { ...starCode, as: server })).status, 200);
  t.equal((await send('GET', attribute, { as: server })).body, 'false');
  for (const as of ['sip:rls@example.com', 'sip:other@example.com', 'sip:bob@example.com']) {
    t.equal((await send('PUT', attribute, { ...starCode, as })).status, 403, as);
  }
  const list = `/resource-lists/users/${alice}/index`;
  const asList = { headers: { 'content-type': 'application/resource-lists+xml' }, body: lists };
  t.equal((await send('PUT', list, { ...asList, as: server })).status, 403, 'another usage');
  t.equal((await send('GET', list, { as: server })).status, 403, 'another usage');
  t.equal((await send('PUT', '/simservs.ngn.etsi.org/global/a', { headers, body, as: server })).status, 403);
  const versions = await manage('GET', `/api/v1/versions/${path}`);
  t.match(versions.body, server, 'the version has its author');
});

t.test('a trusted writer makes no documents of users whom the operator does not know', async (t) => {
  const { send } = await startServer(t, {
    environment: {
      XCAP_ROOTS: '/',
      XCAP_OPEN_PROVISIONING: 'false',
      XCAP_TRUSTED_WRITERS: `${server}=simservs.ngn.etsi.org`,
    },
  });
  t.equal((await send('PUT', `/${path}`, { headers, body, as: server })).status, 404);
});

t.test('a writer of a usage that is not there is refused at the start', async (t) => {
  const environment = { XCAP_TRUSTED_WRITERS: 'sip:as@example.com=simservs' };
  await t.rejects(startServer(t, { environment }), /XCAP_TRUSTED_WRITERS has 'simservs'/);
  const noUsage = { XCAP_TRUSTED_WRITERS: 'sip:as@example.com' };
  await t.rejects(startServer(t, { environment: noUsage }), /not of the form <XUI>=<AUID>/);
});
