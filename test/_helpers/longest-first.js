/**
 * Runs the longest suites first, so that none of them is left alone at the end. jest remembers durations in its cache, which
 * a fresh clone doesn't have; ours are in durations.json. `make durations` writes them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const FILE = new URL('durations.json', import.meta.url);
/** Seconds of a suite that nobody has measured. */
const UNKNOWN = 30;
/** Shorter ones are not worth a line. */
const WORTH_KNOWING = 5;

export default class LongestFirst {
  durations = JSON.parse(readFileSync(FILE, 'utf8'));

  sort(tests) {
    const seconds = ({ path, context }) =>
      this.durations[relative(context.config.rootDir, path)] ?? (path.includes('.local.') ? UNKNOWN : 0);
    return [...tests].sort((a, b) => seconds(b) - seconds(a));
  }

  /** Part of what jest asks of a sequencer; `--shard` is not used here. */
  shard(tests) {
    return tests;
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults(tests, { testResults }) {
    if (process.env.RECORD_DURATIONS !== 'true') return;
    const root = tests[0].context.config.rootDir;
    const measured = testResults
      .map(({ testFilePath, perfStats }) => [relative(root, testFilePath), Math.round(perfStats.runtime / 1_000)])
      .filter(([, seconds]) => seconds >= WORTH_KNOWING)
      .sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
    writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(measured), undefined, 2)}\n`);
  }
}
