/** Rules about accounts: their e-mails and their ids. */
import type { Organization } from '../model.ts';
import { accountEmail, cellAccountName } from '../names.ts';
import { type Rule, repeated, type Subject } from './subject.ts';

/** Every id that the lock file gives an organization, by the path at which it stands. */
export function accountIds({
  organizationId,
  accounts,
  cells,
}: Pick<Organization, 'organizationId' | 'accounts' | 'cells'>): Map<string, string> {
  const ids = new Map<string, string | undefined>([['organizationId', organizationId]]);
  for (const [name, { accountId }] of Object.entries(accounts)) ids.set(`accounts.${name}.accountId`, accountId);
  for (const [name, cell] of Object.entries(cells)) if (cell.cloud === 'aws') ids.set(`cells.${name}.accountId`, cell.accountId);
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
      const { settled, settings } = subject;
      const now = settings ? accountIds({ ...settings, cells: Object.fromEntries(subject.cells) }) : settled;
      for (const [path, id] of settled) {
        // A cell that is no longer defined is CELL_REMOVED's business.
        if (now.get(path) === id || (path.startsWith('cells.') && !subject.cells.has(path.split('.')[1] ?? ''))) continue;
        yield {
          path,
          message: `${now.get(path) ?? 'nothing'} instead of ${id}, which is published and in use`,
          fix: 'restore accounts.json from git; `cellctl plan` compares it with AWS Organizations',
        };
      }
    },
  },
];
