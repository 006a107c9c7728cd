import { existsSync, readFileSync } from 'node:fs'
import { getRawAsset, isSea } from 'node:sea'
import { fileURLToPath } from 'node:url'

/**
 * A recording that ships with the program: beside this file when run from source; beside or above the chunk in `dist/`; inside the
 * single executable.
 * @throws Error when the recording is in none of these places
 */
export function readRecording(name: string): Buffer {
  if (isSea()) return Buffer.from(getRawAsset(`recordings/${name}`))
  for (const folder of ['./recordings/', '../recordings/', '../../src/sandbox/recordings/']) {
    const path = fileURLToPath(new URL(folder + name, import.meta.url))
    if (existsSync(path)) return readFileSync(path)
  }
  throw new Error(`the recording ${name} is not part of this installation`)
}
