/** All of them. */
import { daemonMutants } from './daemons';
import { declarationMutants } from './declarations';
import { descriptorMutants } from './descriptors';
import { endingMutants } from './endings';
import { leftoverMutants } from './leftovers';
import type { Mutant } from './mutant';
import { programMutants } from './programs';
import { startMutants } from './starts';
import { streamMutants } from './streams';

export type { Mutant };

export const mutants: readonly Mutant[] = [
  programMutants,
  startMutants,
  streamMutants,
  endingMutants,
  descriptorMutants,
  leftoverMutants,
  declarationMutants,
  daemonMutants,
].flat();
