// Native ES modules, compiled by swc file by file: types are checked once, by `tsc`, not again by each test.
const shared = {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/_helpers/temporary.js',
  globalTeardown: '<rootDir>/test/_helpers/temporary-gone.js',
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  // Tests exercise the sources, not the last build of them.
  moduleNameMapper: {
    '^cell-factory/registry$': '<rootDir>/lib/registry/public.ts',
    '^cell-factory/cell$': '<rootDir>/lib/cell/service/index.ts',
  },
};

export default {
  // More than the deadlines of test/_helpers/eventually.ts and cellctl.ts, which say what was waited for.
  testTimeout: 300_000,
  testSequencer: '<rootDir>/test/_helpers/longest-first.js',
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/test/**/*.test.ts'], testPathIgnorePatterns: ['\\.local\\.test\\.ts$'] },
    {
      ...shared,
      displayName: 'local cloud',
      testMatch: ['<rootDir>/test/**/*.local.test.ts'],
      globalSetup: '<rootDir>/test/_helpers/nursery-setup.js',
      globalTeardown: '<rootDir>/test/_helpers/nursery-gone.js',
    },
  ],
};
