import { conformance } from '@vircommand/conformance';
import { backend } from '@vircommand/child-process';

conformance({ name: 'child-process', create: () => backend });
