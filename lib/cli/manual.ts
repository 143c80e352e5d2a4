import { join, relative } from 'node:path';
import { packageRoot } from '../package-root.ts';

/** Path of a page of the documentation, as somebody in the working directory can open it: in the checkout, or in the package. */
export const manual = (page: string): string => relative('', join(packageRoot(), 'docs', page));
