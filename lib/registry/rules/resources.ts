/** Rules about the resources of a cell: which there are, and what they carry. */
import { CACHE_TYPES, DATABASE_CLASSES, FARGATE_MEMORY } from '../instances.ts';
import type { AwsCell } from '../model.ts';
import { resourcesOf, shortfalls } from '../sizes.ts';
import type { Rule, Subject } from './subject.ts';

/** Cells on AWS whose size is known: where something stands in for what says it, nothing can be said of their resources. */
function* sized({ cells, standIns }: Subject): Generator<[string, AwsCell]> {
  const unknown = new Set(standIns);
  for (const [key, cell] of cells) {
    const known = ['size', 'stage', 'capacity', 'overrides'].every((field) => !unknown.has(`cells.${key}.${field}`));
    if (cell.cloud === 'aws' && known) yield [key, cell];
  }
}

/** The least that storage may grow to. Source: "Managing capacity automatically with Amazon RDS storage autoscaling", Amazon RDS User Guide. */
const leastMaximum = (storageGiB: number): number => Math.ceil((storageGiB * 11) / 10);

export const RESOURCE_RULES: readonly Rule[] = [
  {
    code: 'RESOURCE_UNKNOWN',
    description: 'an instance class is one that the factory knows the size and price of',
    *check({ cells }) {
      for (const [key, cell] of cells) {
        if (cell.cloud !== 'aws') continue;
        const { database, cache } = cell.overrides;
        const named = [
          ['database.instanceClass', database?.instanceClass, DATABASE_CLASSES],
          ['cache.nodeType', cache?.nodeType, CACHE_TYPES],
        ] as const;
        for (const [field, value, table] of named) {
          if (value === undefined || Object.hasOwn(table, value)) continue;
          yield {
            path: `cells.${key}.overrides.${field}`,
            message: `"${value}" is not known`,
            fix: `use one of ${Object.keys(table).join(', ')}; or add it to the factory's tables of instances and prices`,
          };
        }
      }
    },
  },
  {
    code: 'RESOURCE_IMPOSSIBLE',
    description: 'values that belong together fit: memory to processor units, the most to the least',
    *check(subject) {
      for (const [key, cell] of sized(subject)) {
        const { database, service } = resourcesOf(cell);
        const path = `cells.${key}.overrides`;
        const memory = FARGATE_MEMORY[service.cpu];
        const fits = (least: { min: number; max: number; step: number }) =>
          service.memoryMiB >= least.min &&
          service.memoryMiB <= least.max &&
          service.memoryMiB % least.step === 0 &&
          !(service.cpu === 256 && service.memoryMiB === 1_536);
        if (memory && !fits(memory)) {
          yield {
            path: `${path}.service.memoryMiB`,
            message: `${service.memoryMiB} MiB don't go with ${service.cpu} processor units`,
            fix: `use ${memory.min} to ${memory.max} in steps of ${memory.step}${service.cpu === 256 ? ' (but 1536)' : ''}, or another cpu`,
          };
        }
        if (service.maxTasks < service.minTasks) {
          yield {
            path: `${path}.service.maxTasks`,
            message: `${service.maxTasks} is less than minTasks, which is ${service.minTasks}`,
            fix: `use ${service.minTasks} or more, or lower minTasks`,
          };
        }
        const least = leastMaximum(database.storageGiB);
        if (database.maxStorageGiB < least) {
          yield {
            path: `${path}.database.maxStorageGiB`,
            message: `${database.maxStorageGiB} GiB is not 10 % above storageGiB, which is ${database.storageGiB}`,
            fix: `use ${least} or more, or lower storageGiB`,
          };
        }
      }
    },
  },
  {
    code: 'STORAGE_SHRINKS',
    description: 'the storage of a database that exists gets no smaller: RDS refuses it',
    *check(subject) {
      for (const [key, cell] of sized(subject)) {
        const published = subject.storage.get(key);
        const { storageGiB, maxStorageGiB } = resourcesOf(cell).database;
        if (published === undefined || storageGiB >= published) continue;
        yield {
          path: `cells.${key}.overrides.database.storageGiB`,
          message: `${storageGiB} GiB instead of ${published} GiB, which is published: RDS makes storage no smaller`,
          fix: `keep it: overrides: { database: { storageGiB: ${published}, maxStorageGiB: ${Math.max(maxStorageGiB, leastMaximum(published))} } }`,
        };
      }
    },
  },
  {
    code: 'CAPACITY_UNCARRIED',
    description: "a cell's resources carry the caps of its capacity",
    *check(subject) {
      for (const [key, cell] of sized(subject)) {
        for (const { field, value, cap, carries } of shortfalls(resourcesOf(cell), cell.capacity)) {
          yield {
            path: `cells.${key}.overrides.${field}`,
            message: `"${value}" carries ${carries} of capacity.${cap}, which is ${cell.capacity[cap]}`,
            fix: `choose a larger one, set capacity.${cap} to ${carries} or less, or choose another size`,
          };
        }
      }
    },
  },
];
