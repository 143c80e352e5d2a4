import pc from 'picocolors';

/** How a word about state is coloured, wherever it stands. */
export function colourState(state: string): string {
  if (/FAILED|ROLLBACK|ALARM|EXPIRED|conflict|failed|error|remove$/.test(state)) return pc.red(state);
  if (/IN_PROGRESS|INSUFFICIENT|create$|update$|skipped/.test(state)) return pc.yellow(state);
  if (/_COMPLETE$|^OK$|deployed|created|ready/.test(state)) return pc.green(state);
  return state;
}
