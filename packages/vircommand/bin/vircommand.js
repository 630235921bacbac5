#!/usr/bin/env node
'use strict';
// The command line of @vircommand/cli, which chooses the backend as this package does.
require('@vircommand/cli').runProcess();
