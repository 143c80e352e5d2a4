import pc from 'picocolors';

/** How a word about state is coloured, wherever it stands. */
export function colourState(state: string): string {
  if (/FAILED|ROLLBACK|ALARM|EXPIRED|conflict|failed|error|remove$|^(stopped|dead)$|rolled back|^not restored/.test(state))
    return pc.red(state);
  if (
    /IN_PROGRESS|INSUFFICIENT|create$|update$|skipped|^(running|preflight|deploying|baking|rolling back|restoring|paused|awaiting approval)$/.test(
      state,
    )
  )
    return pc.yellow(state);
  if (/_COMPLETE$|^OK$|deployed|created|ready|^(succeeded|passed)$/.test(state)) return pc.green(state);
  return state;
}
