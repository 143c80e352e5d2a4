import { defineCell } from 'cell-factory/registry';

/** The busy production cell of Europe. */
export default defineCell({
  name: 'bravo',
  stage: 'production',
  region: 'eu-west-1',
  size: 'medium',
  network: { block: '10.0.32.0/20' },
  trafficWeight: 4,
});
