/** Numbers, times and names as `cellctl` says them, and texts in lines as wide as the terminal. Pure. */

/** Names of cells or reasons that one line takes. */
const NAMED = 3;
/** Rows for cells that are shown one by one. */
export const ROWS = 30;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds as people say them: `45 s`, `12 min`, `4 h 5 min`, `2 d 3 h`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / MINUTE);
  if (minutes < 90) return `${minutes} min`;
  if (whole < 2 * DAY) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(whole / HOUR);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

const pair = (large: number, unit: string, small: number, smaller: string) =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smaller}`;

/** A time without its fractions of a second. */
export const clock = (iso: string): string => iso.replace(/\.\d+Z$/, 'Z');

export const percent = (share: number): string => {
  const value = share * 100;
  return `${value > 0 && value < 1 ? '<1' : Math.round(value)} %`;
};

export const many = (count: number, what: string) => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

export const some = (names: readonly string[]): string =>
  names.length <= NAMED ? names.join(', ') : `${names.slice(0, NAMED).join(', ')}, … (${names.length.toLocaleString('en')})`;

/** Words of `text`, in lines of at most `width` columns. A word that is longer has a line to itself. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The text in lines of at most `width` columns, set in. */
export const indented = (text: string, width: number, by = 2): string[] => wrap(text, width - by).map((line) => ' '.repeat(by) + line);

/** A name that is cut to so many columns. */
export const cut = (name: string, width: number): string => (name.length <= width ? name : `${name.slice(0, width - 1)}…`);
