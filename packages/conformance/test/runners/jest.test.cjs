const { conformance } = require('@vircommand/conformance');
const { createBackend } = require('./backend.cjs');

conformance({ name: 'in jest', create: createBackend });
