import { FactoryError, readAccountsFile, updateAccountsFile } from '../registry/index.ts';

/** The lock file's part about cells: which account belongs to which. */
export interface LockFile {
  /** Where it is, for messages. */
  readonly path: string;
  /** Account ids by cell. */
  read(): Promise<Readonly<Record<string, string>>>;
  /** Changes it, reading and writing in one go. `change` may throw to refuse. */
  update(change: (cells: Readonly<Record<string, string>>) => Readonly<Record<string, string>>): Promise<void>;
}

/** The lock file's part about availability zones. */
export interface ZoneFile {
  /** Names of zones by cell, in the order of the cell's subnets. */
  read(): Promise<Readonly<Record<string, readonly string[]>>>;
  /** Writes a cell's zones down, in the place of those that are. */
  note(cell: string, zones: readonly string[]): Promise<void>;
}

export const zoneFileAt = (path: string): ZoneFile => ({
  read: async () => (await readAccountsFile(path)).zones,
  note: async (cell, zones) => {
    await updateAccountsFile(path, (file) => ({ ...file, zones: { ...file.zones, [cell]: [...zones] } }));
  },
});

export const lockFileAt = (path: string): LockFile => ({
  path,
  read: async () => (await readAccountsFile(path)).cells,
  update: async (change) => {
    await updateAccountsFile(path, (file) => {
      const cells = { ...change(file.cells) };
      // Names of zones are an account's own: with another account they mean others.
      const zones = Object.fromEntries(Object.entries(file.zones).filter(([cell]) => cells[cell] === file.cells[cell]));
      return { ...file, cells, zones };
    });
  },
});

/** Notes that `id` is the account of `cell`. @throws FactoryError `ORGANIZATION_CONFLICT` when either belongs elsewhere */
export async function assign(file: LockFile, cell: string, id: string): Promise<void> {
  await file.update((cells) => {
    const other = Object.entries(cells).find(([name, account]) => name !== cell && account === id)?.[0];
    if (other !== undefined) throw takenBy(id, other, cell);
    const known = Object.hasOwn(cells, cell) ? cells[cell] : undefined;
    if (known !== undefined && known !== id) {
      throw new FactoryError('ORGANIZATION_CONFLICT', `${cell} has account ${known} in the lock file, and ${id} was found for it`, {
        fix: `correct the line of ${cell} in ${file.path}: the account id alone, since zones are another account's`,
      });
    }
    return { ...cells, [cell]: id };
  });
}

/** An account that was found for one cell, and belongs to another. */
export const takenBy = (id: string, owner: string, cell: string) =>
  new FactoryError('ORGANIZATION_CONFLICT', `account ${id} was found for ${cell}, and belongs to ${owner}`, {
    fix: `give ${cell} an email of its own (email: in its definition); the account keeps the one it has`,
  });
