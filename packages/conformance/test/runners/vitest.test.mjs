import * as vitest from 'vitest';
import { adapters, conformance } from '@vircommand/conformance';
import { createBackend } from './backend.cjs';

conformance({ name: 'in vitest', create: async () => createBackend() }, adapters.vitest(vitest));
