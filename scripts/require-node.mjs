// With --ignore-scripts the dev dependency `node` brings no binary, and npm scripts would run on whatever Node is there.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `auditctl is developed on Node 24, this is ${process.version}: run npm ci without --ignore-scripts\n`,
  )
  process.exit(1)
}
