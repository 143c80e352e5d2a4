/** How much property tests try: a share of what is worth it by default, all of it with `make test-full`. */

/** Factor on the runs of long property tests: `PROPERTY_RUNS`, which is 1 in `make test-full`. More finds more, for hours if need be. */
const FACTOR = Number(process.env['PROPERTY_RUNS'] ?? 0.25);

/**
 * Runs of a property test that takes long.
 * @param full how many are worth it
 * @param usual how many there are by default, where a quarter of that takes too long
 */
export const runs = (full: number, usual = full / 4): number => Math.max(1, Math.ceil(FACTOR < 1 ? usual * FACTOR * 4 : full * FACTOR));
