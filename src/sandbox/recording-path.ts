import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The path of a recording that ships with the program: beside this file when run from source; beside or above the chunk in `dist/`.
 * @throws Error when the recording is in none of these places
 */
export function recordingPath(name: string): string {
  for (const folder of ['./recordings/', '../recordings/', '../../src/sandbox/recordings/']) {
    const path = fileURLToPath(new URL(folder + name, import.meta.url))
    if (existsSync(path)) return path
  }
  throw new Error(`the recording ${name} is not part of this installation`)
}
