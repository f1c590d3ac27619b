import t from 'tap';
import { startServer } from '../../test/fixtures/xcap-server.js';

const alice = 'sip:alice@example.com';
const policies = ['user-profile', 'ue-config', 'ue-init-config']
  .map((document) => `org.3gpp.mcptt.${document}=owner-writes`)
  .concat(
    ['mcvideo', 'mcdata'].flatMap((service) => [
      `org.3gpp.${service}.user-profile=owner-writes`,
      `org.3gpp.${service}.ue-config=owner-writes`,
    ]),
  )
  .join(',');

function profile(owner: string, index: string, service = 'mcptt'): string {
  const namespace =
    service === 'mcptt' ? 'urn:3gpp:mcptt:user-profile:1.0' : `urn:3gpp:ns:${service}:user-profile:1.0`;
  return `<${service}-user-profile xmlns="${namespace}" XUI-URI="${owner}" user-profile-index="${index}"><Status>true</Status></${service}-user-profile>`;
}

t.test('permissions are written by administrators, and by users where the operator says so', async (t) => {
  const strict = await startServer(t, { environment: { XCAP_ROOTS: '/' } });
  const lenient = await startServer(t, {
    environment: { XCAP_ROOTS: '/', XCAP_POLICIES: policies },
    database: strict.database,
  });
  for (const service of ['mcptt', 'mcvideo', 'mcdata']) {
    const auid = `org.3gpp.${service}.user-profile`;
    const path = `${auid}/users/${alice}/${service}-user-profile.xml`;
    const headers = { 'content-type': `application/vnd.3gpp.${service}-user-profile+xml` };
    const body = profile(alice, '0', service);
    t.equal((await strict.send('PUT', `/${path}`, { headers, body })).status, 403, auid);
    t.equal((await strict.manage('PUT', `/api/v1/documents/${path}`, { body })).status, 201, auid);
    t.equal((await strict.send('GET', `/${path}`)).status, 200, 'the user reads it');
    t.equal((await strict.send('GET', `/${path}`, { as: 'sip:bob@example.com' })).status, 403);
    const status = `/${path}/~~/${service}-user-profile/Status`;
    const element = {
      headers: { 'content-type': 'application/xcap-el+xml' },
      body: '<Status>false</Status>',
    };
    t.equal((await strict.send('PUT', status, element)).status, 403, `${auid}: a part`);
    t.equal((await strict.send('DELETE', `/${path}`)).status, 403, auid);
    t.equal((await lenient.send('PUT', `/${path}`, { headers, body })).status, 200, `${auid}: owner-writes`);
    for (const config of ['ue-config', 'ue-init-config'].filter(
      (name) => service === 'mcptt' || name === 'ue-config',
    )) {
      const target = `/org.3gpp.${service}.${config}/users/${alice}/device`;
      const type = { 'content-type': `application/vnd.3gpp.${service}-${config}+xml` };
      t.equal((await strict.send('PUT', target, { headers: type, body: '<a/>' })).status, 403, target);
      t.equal((await lenient.send('PUT', target, { headers: type, body: '<a/>' })).status, 409, target);
    }
  }
});

t.test('a profile is that of its place', async (t) => {
  const { manage } = await startServer(t);
  const cases: [service: string, name: string, owner: string, index: string, status: number][] = [
    ['mcptt', 'mcptt-user-profile.xml', alice, '7', 201],
    ['mcptt', 'mcptt-user-profile-7.xml', ' SIP:alice@EXAMPLE.com ', '7', 201],
    ['mcptt', 'mcptt-user-profile-07.xml', alice, '7', 201],
    ['mcptt', 'mcptt-user-profile-8.xml', alice, '7', 409],
    ['mcptt', 'mcptt-user-profile-9.xml', 'sip:bob@example.com', '9', 409],
    ['mcvideo', 'mcvideo-user-profile-8.xml', alice, '7', 409],
    ['mcvideo', 'mcvideo-user-profile-8.xml', alice, '8', 201],
    ['mcdata', 'mcdata-user-profile-1.xml', 'sip:bob@example.com', '1', 409],
    ['mcdata', 'mcdata-user-profile-1.xml', alice, '1', 201],
  ];
  for (const [service, name, owner, index, status] of cases) {
    const target = `/api/v1/documents/org.3gpp.${service}.user-profile/users/${alice}/${name}`;
    const put = await manage('PUT', target, { body: profile(owner, index, service) });
    t.equal(put.status, status, `${name} ${owner} ${index}: ${put.body}`);
  }
});
