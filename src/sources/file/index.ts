import * as z from 'zod'
import { sourceCommon } from '../../config/fields.ts'
import type { SourceParts } from '../define-source.ts'
import { defineSource } from '../define-source.ts'
import { infisicalShape } from '../infisical/shape.ts'
import { FileSource } from './file-source.ts'

const options = z.strictObject({
  ...sourceCommon,
  /** A file, a glob, a folder, or `-` for stdin. */
  path: z.string().min(1),
  /** The type of the source that the events came from. */
  of: z.string().min(1).optional(),
})

/** Exports, our own and those of others: JSON Lines, JSON, CSV, plain or packed. */
export const file = defineSource({
  type: 'file',
  title: 'Files: exports as JSON Lines, JSON or CSV',
  options,
  shape: infisicalShape,
  notes: [
    'reads JSON Lines, JSON arrays, saved API replies and CSV with a header row, plain, gzip or zstd, told by their content',
    'takes a file, a glob, a folder with everything below it, or - for stdin',
    '"of" names the product whose events it holds; without it they must be Infisical\'s',
    'a broken line is reported with its file and number, counted and left out; with --strict it ends the command',
    'JSON keeps its bytes, but for line breaks and blanks between the tokens of an event that is spread over lines; CSV is written as JSON anew',
    'every filter is applied here; nothing is sent anywhere',
  ],
  async create(name: string, settings: z.output<typeof options>, parts: SourceParts) {
    const { path, of, retentionDays, liveRetry } = settings
    const shape = of === undefined || of === 'infisical' ? infisicalShape : await parts.shape(of)
    return new FileSource(name, shape, { path, of, retentionDays, liveRetryMs: liveRetry ?? 0 }, parts)
  },
})
