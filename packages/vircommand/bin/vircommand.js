#!/usr/bin/env node
'use strict';
// The command line of @vircommand/cli, with this package's choice of the backend.
require('@vircommand/cli').runProcess({
  backend: (name) =>
    name === undefined ? require('../dist/choose.js').chooseBackend() : require('@vircommand/cli').chooseBackend(name),
});
