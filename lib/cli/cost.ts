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

/**
 * An estimate in lines: the sum, its items, and where the figures come from.
 * @param source `PRICE_SOURCE` of lib/review/prices.ts
 */
export const costLines = (estimate: Estimate, source: string): string[] => [
  `${pc.bold(monthly(estimate.monthly))}, an estimate`,
  byCost(estimate)
    .map((item) => `${item.what} ${dollars(item.monthly)}`)
    .join('; '),
  pc.dim(source),
];
