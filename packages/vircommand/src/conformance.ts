export * from '@vircommand/conformance';
