import t from 'tap';
import { canonicalXui } from '../../../src/xcap/uri/xui.js';

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
    ['sip:alice@Example.COM;user=phone', 'sip:alice@example.com'],
    ['sip:+15550100001@example.com;USER=Phone', 'sip:+15550100001@example.com'],
    [
      'sip:+15550100001@example.com;transport=tcp;user=phone;lr',
      'sip:+15550100001@example.com;transport=tcp;lr',
    ],
    ['sip:+15550100001@example.com;user=phone?subject=x', 'sip:+15550100001@example.com?subject=x'],
    ['sip:alice@example.com;user=phones', 'sip:alice@example.com;user=phones'],
    ['sip:alice@example.com;method=x', 'sip:alice@example.com;method=x'],
    ['+15550100001@example.com;user=phone', 'sip:+15550100001@example.com'],
    ['sips:alice@example.com', 'sips:alice@example.com'],
    ['TEL:+15550100001', 'tel:+15550100001'],
    ['tel:+1-555-010-0001', 'tel:+15550100001'],
    ['tel:+1 (555) 010.0001', 'tel:+15550100001'],
    ['tel:555-0100;phone-context=ims-1.example.com', 'tel:5550100;phone-context=ims-1.example.com'],
    ['sip:first-last.name@example.com', 'sip:first-last.name@example.com'],
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
