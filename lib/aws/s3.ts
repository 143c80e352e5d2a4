import { S3Client } from '@aws-sdk/client-s3';
import type { Session } from './session.ts';

/**
 * A client of S3 that addresses buckets by path. AWS takes both styles; the other one needs a name server that answers
 * for `<bucket>.<endpoint>`, which custom endpoints such as `localhost` don't have.
 */
export const s3Client = (session: Session): S3Client => new S3Client({ ...session, forcePathStyle: true });
