/** All cases, in the order in which they run. */
import type { Case, Settings } from '../case';
import { build } from './build';
import { capture } from './capture';
import { imports } from './import';
import { lines } from './lines';
import { overhead } from './overhead';
import { start } from './start';

export const casesFor = (settings: Settings): Case[] =>
  [overhead, start, capture, lines, build, imports].flatMap((group) => group(settings));
