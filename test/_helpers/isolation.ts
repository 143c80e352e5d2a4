/** Templates of cells for the isolation check, as fast as the CDK can make them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib/core';
import { createApp } from '../../lib/app/create-app.ts';
import { Delegation } from '../../lib/cell/foundation/delegation.ts';
import { Foundation } from '../../lib/cell/foundation/foundation.ts';
import { CellService } from '../../lib/cell/service/cell-service.ts';
import type { Values } from '../../lib/isolation/template.ts';
import type { VendedCell } from '../../lib/plan/plan.ts';

/**
 * The templates of the cells' stacks, by stack name. Without the CDK's own validation of templates, which other tests do
 * and which takes most of the time.
 */
export function templatesOf(cells: readonly VendedCell[]): Map<string, object> {
  const outdir = mkdtempSync(join(tmpdir(), 'cell-factory-isolation-'));
  try {
    const app = createApp({ outdir, builtinCloudFormationValidation: false, stackTraces: false, treeMetadata: false });
    for (const cell of cells) {
      new Foundation(app, cell);
      new Delegation(app, cell);
    }
    return new Map(app.synth().stacks.map(({ stackName, template }) => [stackName, template as object]));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The template of a component, as its own repository would synthesize it. */
export function componentTemplate(name: string): Values {
  const outdir = mkdtempSync(join(tmpdir(), 'cell-factory-isolation-'));
  try {
    const app = createApp({ outdir, builtinCloudFormationValidation: false });
    const stack = new Stack(app, name);
    new CellService(stack, 'Service', { component: name, path: `/${name}*` });
    return app.synth().getStackByName(name).template as Values;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
