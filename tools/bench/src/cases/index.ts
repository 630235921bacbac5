/** All cases, in the order in which they run. */
import type { Case, Settings } from '../case';
import { build } from './build';
import { capture } from './capture';
import { crowd } from './crowd';
import { endings } from './endings';
import { imports } from './import';
import { launcher } from './launcher';
import { lines } from './lines';
import { memory } from './memory';
import { mock } from './mock';
import { overhead } from './overhead';
import { start } from './start';
import { talk } from './talk';

const groups = [overhead, start, memory, crowd, capture, talk, lines, launcher, endings, build, mock, imports];

export const casesFor = (settings: Settings): Case[] => groups.flatMap((group) => group(settings));
