import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'

// `npm run bench [name…] [-- --flags]`: every bench, or those whose file begins with a name; flags go to each.
const root = join(import.meta.dirname, '..')
const words = process.argv.slice(2)
// `--events 100000` as well as `--events=100000`: no bench is named by a number.
const isFlag = (word: string): boolean => word.startsWith('-') || /^[\d_]+$/.test(word)
const names = words.filter((word) => !isFlag(word))
const flags = words.filter(isFlag)
const files = globSync('test/bench/*.bench.ts', { cwd: root }).sort()
const chosen = files.filter(
  (file) => names.length === 0 || names.some((name) => basename(file).startsWith(name)),
)
if (chosen.length === 0) {
  process.stderr.write(
    `no such bench; there are ${files.map((file) => basename(file, '.bench.ts')).join(', ')}\n`,
  )
  process.exit(2)
}

const failed = chosen.filter((file) => {
  process.stdout.write(`\n${basename(file, '.bench.ts')}\n`)
  return spawnSync(process.execPath, [join(root, file), ...flags], { stdio: 'inherit' }).status !== 0
})
process.stdout.write(
  failed.length === 0
    ? `\n${chosen.length} benches, all within their measures\n`
    : `\nmissed: ${failed.map((file) => basename(file, '.bench.ts')).join(', ')}\n`,
)
process.exitCode = failed.length === 0 ? 0 : 1
