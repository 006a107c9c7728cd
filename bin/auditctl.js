#!/usr/bin/env node
import module from 'node:module'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`auditctl needs Node 22.19 or newer, this is ${process.version}\n`)
  process.exit(2)
}
module.enableCompileCache?.()
const entry = new URL('../dist/main.js', import.meta.url)
const { main } = await import(entry.href).catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || error.url !== entry.href) throw error
  process.stderr.write('auditctl is not built here: npm run build makes dist/\n')
  process.exit(2)
})
process.exitCode = await main(process.argv.slice(2))
