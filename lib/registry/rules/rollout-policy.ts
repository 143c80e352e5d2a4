/** Rules about the rollout policy: waves, bakes, and the calendars that hold them up. */
import { STAGING } from './pipelines.ts';
import { bakesOf, blackoutsOf, productionCells, type Rule, repeated, seconds, UNIT, wavesOf } from './subject.ts';

/** Seconds between two waves at most: a look each quarter of an hour, of nine events, stays below half of what an execution may have. */
const LONGEST_BETWEEN = 14 * UNIT.d;
/** The longest bake: a Step Functions action of CodePipeline ends after that. Source: "Quotas in AWS CodePipeline". */
const LONGEST_BAKE = 7 * UNIT.d;

/** True for a time zone that the runtime's own database knows. An offset such as +02:00 is none: it would miss the change to summer time. */
function isTimeZone(name: string): boolean {
  if (!/^[a-z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const ROLLOUT_RULES: readonly Rule[] = [
  {
    code: 'WAVES_INCOMPLETE',
    description: 'the last wave, and no other, admits the rest; percentages before it stay below 100 together',
    *check({ settings }) {
      for (const { path, waves } of settings ? wavesOf(settings.rollout) : []) {
        const percent = waves.reduce((sum, { admit }) => sum + ('percent' in admit ? admit.percent : 0), 0);
        if (percent >= 100) yield { path, message: `${percent} % before the last wave`, fix: 'lower the percentages: below 100 together' };
        for (const [index, { name, admit }] of waves.entries()) {
          const last = index === waves.length - 1;
          if ('rest' in admit === last) continue;
          yield {
            path: `${path}.${index}.admit`,
            message: last ? `"${name}" is the last wave and doesn't admit the rest` : `"${name}" leaves nothing to the waves after it`,
            fix: last ? 'write admit: { rest: true }, or some cells would never be reached' : 'move it to the end',
          };
        }
      }
    },
  },
  {
    code: 'WAVE_DUPLICATE',
    description: 'every wave has a name of its own, and none that of wave 0, staging',
    *check({ settings }) {
      for (const { path, waves } of settings ? wavesOf(settings.rollout) : []) {
        for (const [first, later] of repeated([{ name: STAGING }, ...waves].entries(), ([, { name }]) => name)) {
          yield {
            path: `${path}.${later[0] - 1}.name`,
            message: `"${later[1].name}" is also the name of wave ${first[0]}`,
            fix: 'choose another name',
          };
        }
      }
    },
  },
  {
    code: 'WAVES_ONE_REGION',
    description: 'the last wave takes cells of every region: multiRegionFromWave is no later than that',
    *check({ settings }) {
      if (!settings) return;
      const { multiRegionFromWave, waves } = settings.rollout;
      if (multiRegionFromWave <= waves.length) return;
      yield {
        path: 'rollout.multiRegionFromWave',
        message: `${multiRegionFromWave}, and the last wave is number ${waves.length}: cells of further regions would never be reached`,
        fix: `use ${waves.length} or less, or add waves`,
      };
    },
  },
  {
    code: 'BAKE_TOO_LONG',
    description:
      'a bake, with its longest extension, takes seven days at most, in all its regions together where they bake one after the other: then the pipeline that waits for it ends',
    *check(subject) {
      const { settings } = subject;
      if (!settings) return;
      const extension = seconds(settings.rollout.maxBakeExtension);
      const regions = new Set(productionCells(subject).map(([, { region }]) => region)).size;
      for (const { path, bake, oneAtATime } of bakesOf(settings.rollout)) {
        const bakes = oneAtATime ? Math.max(1, regions) : 1;
        if (seconds(bake) > LONGEST_BAKE) yield { path, message: `"${bake}" is more than 7 days`, fix: 'use at most 7d' };
        else if (bakes * (seconds(bake) + extension) > LONGEST_BAKE) {
          const times = bakes === 1 ? '' : `, in each of ${bakes} regions,`;
          yield {
            path,
            message: `"${bake}" and maxBakeExtension, which is "${settings.rollout.maxBakeExtension}",${times} are more than 7 days`,
            fix: `shorten the one or the other: at most 7d together${bakes === 1 ? '' : '; or let the regions bake together'}`,
          };
        }
      }
    },
  },
  {
    code: 'BETWEEN_WAVES_LONG',
    description: 'a rollout waits for its pipeline between two waves for fourteen days at most: the history of what looks is limited',
    *check({ settings }) {
      const wait = settings?.rollout.betweenWaves ?? '0s';
      if (seconds(wait) <= LONGEST_BETWEEN) return;
      yield { path: 'rollout.betweenWaves', message: `"${wait}" is more than 14 days`, fix: 'use at most 14d; 7d is the default' };
    },
  },
  {
    code: 'TRAFFIC_CAP_LAST',
    description: 'the last wave has no maxTraffic of less than 100: what it leaves would never be reached',
    *check({ settings }) {
      for (const { path, waves } of settings ? wavesOf(settings.rollout) : []) {
        const { maxTraffic = 100 } = waves.at(-1) ?? {};
        if (maxTraffic === 100) continue;
        yield {
          path: `${path}.${waves.length - 1}.maxTraffic`,
          message: `${maxTraffic} in the last wave: cells beyond it would never be reached`,
          fix: 'leave it out here, and cap the waves before',
        };
      }
    },
  },
  {
    code: 'TRAFFIC_CAP_FALLS',
    description: 'maxTraffic never falls from one wave to the next: what has the version keeps it',
    *check({ settings }) {
      for (const { path, waves } of settings ? wavesOf(settings.rollout) : []) {
        let highest = 0;
        for (const [index, { name, maxTraffic }] of waves.entries()) {
          if (maxTraffic === undefined) continue;
          if (maxTraffic < highest) {
            yield {
              path: `${path}.${index}.maxTraffic`,
              message: `"${name}" allows ${maxTraffic} %, and a wave before it ${highest} %`,
              fix: `use ${highest} or more`,
            };
          }
          highest = Math.max(highest, maxTraffic);
        }
      }
    },
  },
  {
    code: 'TIME_ZONE_UNKNOWN',
    description: "a calendar's time zone is one of the IANA database",
    *check({ cells }) {
      // Asking takes long, and ten thousand cells have few time zones.
      const known = new Map<string, boolean>();
      for (const [key, { calendar }] of cells) {
        const { timeZone } = calendar;
        if (!known.has(timeZone)) known.set(timeZone, isTimeZone(timeZone));
        if (known.get(timeZone)) continue;
        yield {
          path: `cells.${key}.calendar.timeZone`,
          message: `"${timeZone}" is no time zone`,
          fix: 'use a name of the IANA database, such as UTC, Europe/Berlin or America/New_York',
        };
      }
    },
  },
  {
    code: 'WINDOW_EMPTY',
    description: "a calendar's window has a length",
    *check({ cells }) {
      for (const [key, { calendar }] of cells) {
        for (const [index, { from, until }] of calendar.windows.entries()) {
          if (from !== until) continue;
          yield {
            path: `cells.${key}.calendar.windows.${index}.until`,
            message: `"${until}" is also when the window begins`,
            fix: "use another time; a whole day is from: '00:00', until: '24:00'",
          };
        }
      }
    },
  },
  {
    code: 'BLACKOUT_BACKWARDS',
    description: 'a blackout ends after it begins',
    *check(subject) {
      for (const { path, blackout } of blackoutsOf(subject)) {
        if (Date.parse(blackout.until) > Date.parse(blackout.from)) continue;
        yield {
          path: `${path}.until`,
          message: `"${blackout.until}" is not after "${blackout.from}", when the blackout begins`,
          fix: 'write a later time, or exchange the two',
        };
      }
    },
  },
];
