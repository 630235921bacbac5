/** The subjects of one case as bars: medians, with the middle half of all runs as a line across the end. */
import type { Result } from '../verdict';
import { digits } from '../words';
import { element, picture, text, widthOf } from './svg';

const width = 720;
const step = 22;
const thick = 14;
const top = 34;

export function mediansChart({ what, unit, rows }: Result): string {
  const sorted = [...rows].sort((a, b) => a.median - b.median);
  const left = widthOf(sorted.map(({ name }) => name)) + 16;
  const right = width - 70;
  const end = Math.max(...sorted.map(({ median, quartiles }) => Math.max(median, quartiles[1])));
  const x = (value: number): number => left + ((right - left) * value) / end;
  const bars = sorted.flatMap(({ name, role, median, quartiles: [low, high] }, index) => {
    const y = top + index * step;
    const middle = y + thick / 2;
    return [
      text(left - 8, middle + 4, name, { 'text-anchor': 'end' }),
      element('rect', { class: role, x: left, y, width: Math.max(1, x(median) - left), height: thick, rx: 2 }),
      element('line', { class: 'whisker', x1: x(low), x2: x(high), y1: middle, y2: middle }),
      text(Math.max(x(median), x(high)) + 6, middle + 4, `${digits(median)} ${unit}`, { class: 'dim' }),
    ];
  });
  const title = text(8, 18, what, { class: 'title' });
  return picture(width, top + sorted.length * step + 8, `${what}: less is better`, [title, ...bars]);
}
