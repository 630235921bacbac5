export * from '@vircommand/core';
