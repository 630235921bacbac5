/** What a program used, as text. */
import type { CommandResult, ResourceUsage } from '@vircommand/core';

/** `0.42 s`, `12.3 s`, `2 min 5 s`. */
export function timeText(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours} h ` : ''}${minutes} min ${seconds % 60} s`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `1.5 MiB`. */
export function sizeText(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  while (amount >= 1024 && unit < units.length - 1) [amount, unit] = [amount / 1024, unit + 1];
  return `${unit === 0 ? amount : amount.toFixed(1)} ${units[unit] ?? ''}`;
}

function usageLines(usage: ResourceUsage, durationMs: number): string[] {
  const { userMs, systemMs, maxRssKiB, voluntaryContextSwitches, involuntaryContextSwitches } = usage;
  const memory = maxRssKiB === undefined ? 'less than vircommand itself' : `${sizeText(maxRssKiB * 1024)} at most`;
  const switches =
    voluntaryContextSwitches === undefined
      ? 'unknown'
      : `${voluntaryContextSwitches} voluntary, ${involuntaryContextSwitches ?? 'unknown'} involuntary`;
  return [
    `time      ${timeText(durationMs)}, of it user ${timeText(userMs)}, system ${timeText(systemMs)}`,
    `memory    ${memory}`,
    `switches  ${switches}`,
  ];
}

/** Lines for `--stats`. */
export function statsText({ durationMs, usage }: CommandResult, backend: string): string {
  const unknown = `unknown (the backend ${backend} cannot tell)`;
  const lines =
    usage === undefined
      ? [`time      ${timeText(durationMs)}`, `memory    ${unknown}`, `switches  ${unknown}`]
      : usageLines(usage, durationMs);
  return `${lines.join('\n')}\n`;
}
