import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { completionScript } from '../src/cli/completion-scripts.ts'

// Writes completions/; with --check it only says whether they are up to date.
const targets = [
  ['bash', 'completions/auditctl.bash'],
  ['zsh', 'completions/_auditctl'],
  ['fish', 'completions/auditctl.fish'],
] as const
mkdirSync('completions', { recursive: true })
const stale: string[] = []
for (const [shell, path] of targets) {
  const text = completionScript(shell)
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) stale.push(path)
}
if (stale.length > 0) {
  process.stderr.write(`out of date: ${stale.join(', ')}; run npm run completions\n`)
  process.exitCode = 1
}
