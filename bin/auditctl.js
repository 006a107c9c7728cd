#!/usr/bin/env node
import { existsSync } from 'node:fs'
import module from 'node:module'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`auditctl needs Node 22.19 or newer, this is ${process.version}\n`)
  process.exit(2)
}
if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  process.stderr.write('auditctl is not built here: npm run build makes dist/\n')
  process.exit(2)
}
module.enableCompileCache?.()
const { main } = await import('../dist/main.js')
process.exitCode = await main(process.argv.slice(2))
