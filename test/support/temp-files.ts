import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

/** A folder that is gone after the test. */
export function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes files below the folder by their relative names. */
export async function put(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
}

/** The content in blocks of `size` bytes. One buffer serves all, as the contract of blocks allows. */
export async function* inBlocks(content: Uint8Array | string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content)
  const block = Buffer.alloc(size)
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(block, 0, at, Math.min(bytes.length, at + size))
    yield block.subarray(0, length)
  }
}

export async function textOf(blocks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Buffer[] = []
  for await (const block of blocks) parts.push(Buffer.from(block))
  return Buffer.concat(parts).toString('utf8')
}
