/** A publisher as a process of its own, to be killed by a test: adds one cell to what is published, with the code that was built. */
import { S3Client } from '@aws-sdk/client-s3';
import { S3Objects } from '../../dist/lib/aws/s3-objects.js';
import { defineCell, RegistryStore } from '../../dist/lib/registry/index.js';

const [bucket, name, block] = process.argv.slice(2);
const s3 = new S3Client({ region: 'eu-west-1', forcePathStyle: true });
const store = new RegistryStore(new S3Objects(s3, bucket));
const { organization, published } = await store.latest();
const cells = { ...organization.cells, [name]: defineCell({ name, stage: 'production', region: 'eu-west-1', network: { block } }) };
// From here on it may be killed.
process.stdout.write('publishing\n');
const { registry } = await store.publish({ ...organization, cells }, { by: name, base: published.revision });
process.stdout.write(`published ${registry.published.revision}\n`);
