import type { Io } from './runtime.ts'

let shown = false

/** Marks that a progress line stands on the terminal, so that whoever prints next takes it away first. */
export function markProgress(): void {
  shown = true
}

/** Takes the progress line away. */
export function clearProgress(io: Io): void {
  if (!shown || !io.stderrIsTerminal) return
  shown = false
  io.stderr.write('\r\u001b[2K')
}
