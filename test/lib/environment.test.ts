import { expect, test } from '@jest/globals';
import { reachesAws } from '../../lib/environment.ts';

const LOCAL = 'http://localhost:4566';
const AWS = 'https://monitoring.example.com';

test.each([
  [{}, true],
  [{ AWS_ENDPOINT_URL: LOCAL }, false],
  [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:5000' }, false],
  [{ AWS_ENDPOINT_URL: 'http://[::1]:5000' }, false],
  [{ AWS_ENDPOINT_URL: 'http://cloud.localhost:5000' }, false],
  [{ AWS_ENDPOINT_URL: AWS }, true],
  [{ AWS_ENDPOINT_URL: 'http://localhost.example.com' }, true],
  [{ AWS_ENDPOINT_URL: 'localhost:5000' }, true],
  [{ AWS_ENDPOINT_URL: LOCAL, AWS_ENDPOINT_URL_CLOUDWATCH: AWS }, true],
  [{ AWS_ENDPOINT_URL: LOCAL, AWS_ENDPOINT_URL_STS: AWS }, true],
  [{ AWS_ENDPOINT_URL_CLOUDWATCH: LOCAL }, true],
  [{ AWS_ENDPOINT_URL: LOCAL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, true],
])('%j reaches AWS: %s', (environment, expected) => {
  expect(reachesAws(environment)).toBe(expected);
});
