import { cp, element, simservs, ss, type CorpusCase } from './case.js';

/** Call barring. */
export const barring: readonly CorpusCase[] = [
  {
    id: 'barring-01',
    title: 'a rule against international calls, home country excepted',
    method: 'PUT',
    target: `${simservs}/~~/simservs/outgoing-communication-barring/cp:ruleset/cp:rule%5b@id=%22OX%22%5d?${cp}`,
    headers: element,
    body: '<cp:rule id="OX"><cp:conditions><international-exHC/></cp:conditions><cp:actions><allow>false</allow></cp:actions></cp:rule>',
    document: 'simservs-plain',
    expect: { status: 201, contains: ['</cp:rule><cp:rule id="OX">'] },
  },
  {
    id: 'barring-02',
    title: 'anonymous calls are rejected from now on',
    method: 'PUT',
    target: `${simservs}/~~/ss:simservs/ss:incoming-communication-barring/cp:ruleset/cp:rule%5B@id=%22call-barring-anonymous-incoming%22%5D/cp:conditions?${ss}${cp}`,
    headers: { ...element, 'accept-encoding': '' },
    body: '<cp:conditions>\n  <ss:anonymous/>\n</cp:conditions>\n',
    document: 'simservs-operator',
    expect: { status: 200, contains: ['<cp:conditions>\n  <ss:anonymous/>\n</cp:conditions>'] },
  },
  {
    id: 'barring-03',
    title: 'calls from certain numbers are rejected',
    method: 'PUT',
    target: `${simservs}/~~/simservs/incoming-communication-barring?${cp}${ss}`,
    headers: element,
    body: '<incoming-communication-barring active="true"><cp:ruleset xmlns:cp="urn:ietf:params:xml:ns:common-policy"><cp:rule id="call-barring-identity"><cp:conditions><cp:identity><cp:one id="tel:+15550100271"/><cp:one id="sip:+15550100272@ims.example.com"/></cp:identity></cp:conditions><cp:actions><allow>false</allow></cp:actions></cp:rule></cp:ruleset></incoming-communication-barring>',
    document: 'simservs-plain',
    expect: { status: 200, contains: ['<cp:one id="tel:+15550100271"/>'], lacks: ['id="ACR"'] },
  },
];
