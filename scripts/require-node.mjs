// First in every script that runs TypeScript: without node_modules/.bin in front of PATH, or after an install with --ignore-scripts,
// it would run on whatever Node is there and fail in a way that says nothing.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `auditctl is developed on Node 24, this is ${process.version}: start it with npm (npm test, npm run ok), ` +
      'after npm ci without --ignore-scripts\n',
  )
  process.exit(1)
}
