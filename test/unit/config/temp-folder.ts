import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A private folder that is gone when the test ends. */
export function tempFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-test-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
