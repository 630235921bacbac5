/** Ours beside the best peer, a line for each case: on a logarithmic scale, since twice and half are equally far from equal. */
import type { Result, Standing } from '../verdict';
import { bestStanding } from '../words';
import { element, picture, text, widthOf } from './svg';

const width = 720;
const step = 20;
const top = 70;
const radius = 5;
const ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

/** Shapes as well as colours: not everybody sees those. */
const shapes: Readonly<Record<Standing['verdict'], (x: number, y: number) => string>> = {
  ahead: (cx, cy) => element('circle', { class: 'ahead', cx, cy, r: radius }),
  behind: (x, y) =>
    element('path', { class: 'behind', d: `M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z` }),
  'cannot be told': (x, y) =>
    element('rect', {
      class: 'untold',
      x: x - radius + 1,
      y: y - radius + 1,
      width: 2 * radius - 2,
      height: 2 * radius - 2,
    }),
};

export function overviewChart(results: readonly Result[]): string {
  const lines = results.flatMap(({ name, standings }) => {
    const standing = bestStanding(standings);
    return standing === undefined ? [] : [{ name, ...standing }];
  });
  const left = widthOf(lines.map(({ name }) => name)) + 16;
  const right = width - widthOf(lines.map(({ peer }) => peer)) - 16;
  const values = lines.map(({ ratio: { value } }) => value);
  const [least, most] = [Math.log(Math.min(0.5, ...values) / 1.2), Math.log(Math.max(2, ...values) * 1.2)];
  const x = (value: number): number => {
    const share = (Math.log(value) - least) / (most - least);
    return left + (right - left) * Math.min(1, Math.max(0, share));
  };
  const bottom = top + lines.length * step;
  const axis = ticks
    .filter((tick) => Math.log(tick) >= least && Math.log(tick) <= most)
    .flatMap((tick) => [
      element('line', { class: tick === 1 ? 'one' : 'axis', x1: x(tick), x2: x(tick), y1: top - 8, y2: bottom }),
      text(x(tick), top - 14, `${tick} ×`, { class: 'dim', 'text-anchor': 'middle' }),
    ]);
  const points = lines.flatMap(({ name, peer, ratio: { value, low, high }, verdict }, index) => {
    const y = top + index * step + step / 2;
    const ends = Number.isFinite(high) ? [low, high] : [value, value];
    return [
      text(left - 8, y + 4, name, { 'text-anchor': 'end' }),
      element('line', { class: 'whisker', x1: x(ends[0] ?? value), x2: x(ends[1] ?? value), y1: y, y2: y }),
      shapes[verdict](Math.round(x(value)), y),
      text(right + 8, y + 4, peer, { class: 'dim' }),
    ];
  });
  const head = [
    text(8, 18, 'Ours as a multiple of the best peer: left of 1 is ahead', { class: 'title' }),
    text(right + 8, top - 14, 'best peer', { class: 'dim' }),
    text(8, 35, '● ahead  ■ cannot be told  ◆ behind', { class: 'dim' }),
  ];
  return picture(width, bottom + 8, 'Ours as a multiple of the best peer, case by case', [...head, ...axis, ...points]);
}
