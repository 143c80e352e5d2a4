// The emulator's own suites. They run apart from the others, and only when this folder has changed: see suites.ts.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import shared from '../../jest.config.js';

const rootDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const project = shared.projects.find(({ displayName }) => displayName === 'local cloud');

export default {
  ...shared,
  rootDir,
  projects: [{ ...project, rootDir, displayName: 'emulator', testMatch: ['<rootDir>/tools/local-cloud/test/**/*.test.ts'] }],
};
