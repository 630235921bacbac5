import { conformance } from '@vircommand/conformance';
import { backend } from '@vircommand/posix';

conformance({ name: 'posix', create: () => backend });
