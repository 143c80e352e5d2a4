/** Rules about accounts: their e-mails and their ids. */
import type { Organization } from '../model.ts';
import { accountEmail, cellAccountName } from '../names.ts';
import { type Rule, repeated, type Subject } from './subject.ts';

/** End of the path of a cell's zones. */
const ZONES = '.zones';

/** Every id that the lock file gives an organization, and the zones of every cell, by the path at which they stand. */
export function accountIds({
  organizationId,
  accounts,
  cells,
}: Pick<Organization, 'organizationId' | 'accounts' | 'cells'>): Map<string, string> {
  const ids = new Map<string, string | undefined>([['organizationId', organizationId]]);
  for (const [name, { accountId }] of Object.entries(accounts)) ids.set(`accounts.${name}.accountId`, accountId);
  for (const [name, cell] of Object.entries(cells)) {
    if (cell.cloud !== 'aws') continue;
    ids.set(`cells.${name}.accountId`, cell.accountId);
    ids.set(`cells.${name}${ZONES}`, cell.zones?.join(', '));
  }
  return new Map([...ids].flatMap(([path, id]) => (id === undefined ? [] : [[path, id] as const])));
}

/** E-mails of all accounts, with what each comes from. */
export function* accountEmails({ settings, cells }: Subject): Generator<{ path: string; email: string }> {
  if (!settings) return;
  for (const name of ['tooling', 'monitoring'] as const) yield { path: `accounts.${name}.email`, email: settings.accounts[name].email };
  for (const [key, cell] of cells) {
    if (cell.cloud !== 'aws') continue;
    yield { path: `cells.${key}.email`, email: cell.email ?? accountEmail(settings.emailPattern, cellAccountName(key)) };
  }
}

export const ACCOUNT_RULES: readonly Rule[] = [
  {
    code: 'EMAIL_DUPLICATE',
    description: 'every account has an e-mail of its own',
    *check(subject) {
      for (const [first, later] of repeated(accountEmails(subject), ({ email }) => email.toLowerCase())) {
        yield { path: later.path, message: `"${later.email}" is also ${first.path}`, fix: 'give each account its own address' };
      }
    },
  },
  {
    code: 'ACCOUNT_REUSED',
    description: 'no two cells share an account, and none uses a control account',
    *check({ settings, cells }) {
      const control = Object.entries(settings?.accounts ?? {}).map(([name, { accountId }]) => ({ path: `accounts.${name}`, accountId }));
      const owners = [
        ...control,
        ...[...cells].flatMap(([key, cell]) => (cell.cloud === 'aws' ? [{ path: `cells.${key}`, accountId: cell.accountId }] : [])),
      ];
      for (const [first, later] of repeated(owners, (owner) => owner.accountId)) {
        yield {
          path: `${later.path}.accountId`,
          message: `account ${later.accountId} also belongs to ${first.path}`,
          fix: 'restore accounts.json from git, or remove the wrong line and run `cellctl accounts`',
        };
      }
    },
  },
  {
    code: 'ACCOUNT_CHANGED',
    description: 'a cell that exists keeps its account, and the organization its id and its control accounts',
    *check(subject) {
      for (const { path, before, now } of changes(subject)) {
        if (path.endsWith(ZONES)) continue;
        yield {
          path,
          message: `${now ?? 'nothing'} instead of ${before}, which is published and in use`,
          fix: 'restore accounts.json from git; `cellctl plan` compares it with AWS Organizations',
        };
      }
    },
  },
  {
    code: 'ZONES_CHANGED',
    description: 'a cell that exists keeps its availability zones: in others, each of its subnets would be another',
    *check(subject) {
      for (const { path, before, now } of changes(subject)) {
        if (!path.endsWith(ZONES)) continue;
        yield {
          path,
          message: `${now ?? 'nothing'} instead of ${before}, which is published and in use`,
          fix: "restore accounts.json from git, or remove the zones from the cell's line: `cellctl accounts` reads them from the cell's subnets",
        };
      }
    },
  },
];

/** What is other than it was settled. */
function* changes({ settled, settings, cells }: Subject): Generator<{ path: string; before: string; now: string | undefined }> {
  const ids = settings ? accountIds({ ...settings, cells: Object.fromEntries(cells) }) : settled;
  for (const [path, before] of settled) {
    const now = ids.get(path);
    // A cell that is no longer defined is CELL_REMOVED's business.
    if (now !== before && !(path.startsWith('cells.') && !cells.has(path.split('.')[1] ?? ''))) yield { path, before, now };
  }
}
