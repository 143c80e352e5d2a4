/** Programs of the project's Python environment: `python`, `cfn-lint`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pythonEnvironment } from '../../tools/local-cloud/launcher/python-environment.ts';

/** Runs one of them to its end. What it prints counts, not whether it is content. */
export async function runTool(program: 'python' | 'cfn-lint', args: readonly string[], input = ''): Promise<string> {
  const { bin, bytecode } = await pythonEnvironment();
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '', PYTHONPYCACHEPREFIX: bytecode };
  const { error, status, stdout, stderr } = spawnSync(join(bin, program), args, { input, env, encoding: 'utf8' });
  if (error) throw error;
  // Warnings of Python itself are no findings.
  return status === 0 ? stdout : stdout + stderr;
}
