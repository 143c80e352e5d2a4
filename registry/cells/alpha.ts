import { defineCell } from 'cell-factory/registry';

/** The quiet production cell: the first to get a change. */
export default defineCell({
  name: 'alpha',
  stage: 'production',
  region: 'eu-west-1',
  network: { block: '10.0.16.0/20' },
  importance: 'low',
  trafficWeight: 1,
});
