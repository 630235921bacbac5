/** For the suite, elsewhere is another process on this machine; for `ssh` only the first words would differ. */
import * as path from 'node:path';
import type { Backend } from '@vircommand/core/backend';
import { elsewhere } from './backend';

export const createBackend = (): Backend => elsewhere([process.execPath, path.join(__dirname, 'agent.js')]);
