import t from 'tap';
import { canonicalXui } from '../../src/xcap/xui.js';

t.test('§6.2: forms of one user', (t) => {
  const cases: [given: string, canonical: string, defaultDomain?: string][] = [
    ['sip:alice@example.com', 'sip:alice@example.com'],
    ['alice@example.com', 'sip:alice@example.com'],
    ['SIP:alice@EXAMPLE.com', 'sip:alice@example.com'],
    ['sip:Alice@example.com', 'sip:Alice@example.com'],
    ['sip:alice:secret@example.com', 'sip:alice@example.com'],
    ['alice:secret@example.com', 'sip:alice@example.com'],
    ['sip:alice:se:cr@et@Example.com', 'sip:alice@example.com'],
    ['sip:+15550100001:1234@ims.example.com', 'sip:+15550100001@ims.example.com'],
    ['sip:alice@Example.COM;user=phone', 'sip:alice@example.com;user=phone'],
    ['sips:alice@example.com', 'sips:alice@example.com'],
    ['TEL:+15550100001', 'tel:+15550100001'],
    ['0a1b2c3d', '0a1b2c3d'],
    ['alice', 'sip:alice@home.example', 'Home.example'],
    ['alice@example.com', 'sip:alice@example.com', 'home.example'],
    ['tel:+15550100001', 'tel:+15550100001', 'home.example'],
  ];
  for (const [given, canonical, defaultDomain] of cases) {
    t.equal(canonicalXui(given, defaultDomain), canonical, given);
    t.equal(canonicalXui(canonical, defaultDomain), canonical, `${canonical} is canonical`);
  }
  t.end();
});
