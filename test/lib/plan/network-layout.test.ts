import { expect, test } from '@jest/globals';
import { natGatewaysOf } from '../../../lib/plan/network-layout.ts';

test.each([
  ['gateway-per-zone', 3, 3],
  ['one-gateway', 3, 1],
  ['instance', 2, 0],
] as const)('a network with NAT by %s in %d zones has %d gateways', (nat, zones, gateways) => {
  expect(natGatewaysOf(nat, zones)).toBe(gateways);
});
