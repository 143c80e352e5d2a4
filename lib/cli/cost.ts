/** How an estimate of costs is shown, wherever one is. Never without saying that it is one. */
import pc from 'picocolors';
import type { CostItem, Estimate } from '../review/prices.ts';

/** `$1,234`; below ten dollars with cents, because there they matter. */
export const dollars = (amount: number) => {
  const digits = amount < 9.995 && amount !== 0 ? 2 : 0;
  return `$${amount.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
};

/** `$1,234 a month`. */
const monthly = (amount: number) => `${dollars(amount)} a month`;

/** The items, the most expensive first. */
export const byCost = ({ items }: Estimate): CostItem[] => [...items].sort((a, b) => b.monthly - a.monthly || (a.what < b.what ? -1 : 1));

/** Share of the sum below which an item is one of the rest. */
const SMALL = 0.01;

/** The items that matter, and the rest in one. */
function shownItems(estimate: Estimate): CostItem[] {
  const items = byCost(estimate);
  const small = items.filter(({ monthly }) => monthly < SMALL * estimate.monthly);
  // One alone has a name of its own.
  if (small.length < 2) return items;
  const rest = { what: 'the rest', monthly: small.reduce((sum, { monthly }) => sum + monthly, 0) };
  return [...items.slice(0, items.length - small.length), rest];
}

/**
 * An estimate in lines: the sum, its items, and where the figures come from.
 * @param source `PRICE_SOURCE` of lib/review/prices.ts
 */
export const costLines = (estimate: Estimate, source: string): string[] => [
  `${pc.bold(monthly(estimate.monthly))}, an estimate`,
  shownItems(estimate)
    .map((item) => `${item.what} ${dollars(item.monthly)}`)
    .join('; '),
  pc.dim(source),
];
