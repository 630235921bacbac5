import { conformance } from '@vircommand/conformance';
import { createBackend } from './backend.cjs';

conformance({ name: 'in vitest with globals', create: createBackend });
