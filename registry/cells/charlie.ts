import { defineCell } from 'cell-factory/registry';

/** Production in North America. */
export default defineCell({
  name: 'charlie',
  stage: 'production',
  region: 'us-east-1',
  size: 'medium',
  network: { block: '10.0.48.0/20' },
  importance: 'high',
  trafficWeight: 3,
});
