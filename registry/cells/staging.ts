import { defineCell } from 'cell-factory/registry';

/** Every change comes here first. */
export default defineCell({
  name: 'staging',
  stage: 'staging',
  region: 'eu-west-1',
  network: { block: '10.0.0.0/20' },
});
