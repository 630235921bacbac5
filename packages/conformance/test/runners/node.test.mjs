import { adapters, conformance } from '@vircommand/conformance';
import { createBackend } from './backend.cjs';

conformance({ name: 'in node:test', create: async () => createBackend() }, adapters.nodeTest());
