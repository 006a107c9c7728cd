import type { SourceIdentity } from './source.ts'

/** One data file of an export folder. `rawBytes`: before compression. Times and ids are those of the first and last row. */
export type ManifestFile = {
  readonly path: string
  readonly bytes: number
  readonly rawBytes: number
  readonly sha256: string
  readonly rows: number
  readonly firstTime: string | null
  readonly lastTime: string | null
  readonly firstId: string | null
  readonly lastId: string | null
}

/** `manifest.json`, contract 2.5: written last, so that a folder with one is whole. */
export type Manifest = {
  readonly version: 1
  readonly runId: string
  readonly tool: { readonly name: 'auditctl'; readonly version: string }
  readonly source: {
    readonly name: string
    readonly type: string
    /** What happened before it may have been forgotten by the source already. */
    readonly retentionFloor: string | null
  } & { readonly [Key in Exclude<keyof SourceIdentity, 'retentionMs'>]: string | null }
  readonly window: { readonly from: string; readonly to: string }
  readonly query: unknown
  readonly queryHash: string
  readonly format: 'jsonl' | 'csv'
  readonly compression: 'none' | 'gzip' | 'zstd'
  readonly createdAt: string
  readonly files: readonly ManifestFile[]
  readonly totals: {
    readonly files: number
    readonly rows: number
    readonly bytes: number
    readonly rawBytes: number
  }
  /** Order-free digest of all ids, each counted as often as it was written. */
  readonly idDigest: string
  /** Whole hours of the window without an event, neighbours joined. */
  readonly emptyIntervals: readonly { readonly from: string; readonly to: string }[]
  readonly complete: boolean
  /** Why it is not complete. */
  readonly reasons: readonly string[]
}

export const MANIFEST_FILE = 'manifest.json'
