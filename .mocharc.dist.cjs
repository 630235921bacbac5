'use strict';

// The same suite on what is published. A file and not a variable in front of the command, which Windows does not know.
process.env.SUBJECT = 'dist';
module.exports = require('./.mocharc.cjs');
