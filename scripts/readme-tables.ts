import { readFileSync, writeFileSync } from 'node:fs'
import type { BatchLimits } from '../src/core/destination.ts'
import { formatDuration } from '../src/core/duration.ts'
import { DESTINATIONS } from '../src/destinations/registry.ts'
import { SOURCES } from '../src/sources/registry.ts'

// Writes the README's tables from the definitions themselves; with --check it only says whether they are up to date.

function size(bytes: number): string {
  if (bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MiB`
  if (bytes >= 1_000_000) return `${Number((bytes / 1_000_000).toFixed(2))} MB`
  return `${Number((bytes / 1000).toFixed(1))} kB`
}

function limits(
  of: (limits: BatchLimits) => string,
  all: { readonly default: BatchLimits; readonly hard: BatchLimits },
): string {
  const [usual, hard] = [of(all.default), of(all.hard)]
  return usual === hard ? usual : `${usual} / ${hard}`
}

async function providers(): Promise<string> {
  const rows = [
    '| provider | events | bytes | one event | keeps events | late | grace | what it holds is known from |',
    '|---|---|---|---|---|---|---|---|',
  ]
  for (const [name, load] of Object.entries(DESTINATIONS)) {
    const {
      limits: all,
      accepts,
      notes = {},
      keeps = 'any age',
      lateDefault,
      graceMs,
      searchable,
    } = await load()
    const past = accepts.pastMs === undefined ? keeps : `${formatDuration(accepts.pastMs)} back`
    const future = accepts.futureMs === undefined ? '' : `, ${formatDuration(accepts.futureMs)} ahead`
    const window = [past + future, notes.accepts].filter((text) => text !== undefined).join(', ')
    const late = notes.late === undefined ? lateDefault : `${lateDefault} (${notes.late})`
    const events = limits(({ maxEvents }) => maxEvents?.toLocaleString('en-US') ?? 'any', all)
    const bytes = limits(({ maxBytes }) => size(maxBytes), all)
    rows.push(
      `| \`${name}\` | ${events} | ${bytes} | ${size(all.hard.maxEventBytes)} | ${window} | ${late} | ${graceMs === 0 ? 'none' : formatDuration(graceMs)} | ${searchable.replaceAll('|', '\\|')} |`,
    )
  }
  return rows.join('\n')
}

async function sources(): Promise<string> {
  const rows = ['| source | what it can and cannot do |', '|---|---|']
  for (const [name, load] of Object.entries(SOURCES)) {
    const { notes } = await load()
    rows.push(`| \`${name}\` | ${notes.join('; ').replaceAll('|', '\\|')} |`)
  }
  return rows.join('\n')
}

const before = readFileSync('README.md', 'utf8')
let after = before
for (const [mark, table] of [
  ['providers', await providers()],
  ['sources', await sources()],
] as const) {
  after = after.replace(
    new RegExp(`(<!-- ${mark} -->\n)[\\s\\S]*?(\n<!-- /${mark} -->)`),
    (_, open: string, close: string) => open + table + close,
  )
}
if (after !== before && process.argv.includes('--check')) {
  process.stderr.write('the tables of README.md are out of date: run npm run readme\n')
  process.exitCode = 1
} else if (after !== before) writeFileSync('README.md', after)
