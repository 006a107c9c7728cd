export type Compression = 'none' | 'gzip' | 'zstd'

/** A file that grows beside its final name and takes that name when it is whole. */
export interface GrowingFile {
  readonly path: string
  /** Bytes appended so far, synced or not. */
  readonly bytes: number
  append(content: Uint8Array): Promise<void>
  sync(): Promise<void>
  finish(target: string, options?: { readonly overwrite?: boolean }): Promise<void>
  close(): Promise<void>
  discard(): Promise<void>
}

/** What an export needs of the disk; the storage room has it, and it is handed down. @throws LocalError, UserError */
export interface ExportDisk {
  /** Opens the part file, cut back to `resumeAt` bytes. */
  openPart(path: string, options: { readonly resumeAt: number }): Promise<GrowingFile>
  exists(path: string): Promise<boolean>
  isFolder(path: string): Promise<boolean>
  /** Whether a folder is not there or has nothing in it; what a file system keeps for itself does not count. */
  isEmpty(path: string): Promise<boolean>
  makeFolder(path: string): Promise<void>
  /** Replaces a small file at once. */
  replace(path: string, text: string): Promise<void>
  remove(path: string): Promise<void>
  /** Undefined when the file is not there. */
  read(path: string): Promise<string | undefined>
  /** Removes the files that an export left: those its manifest names and the manifest, or those named as exports name them. */
  clearExport(folder: string): Promise<void>
  /** One gzip member or zstd frame of its own. */
  compress(kind: Compression, content: Uint8Array): Promise<Uint8Array>
}

export const COMPRESSED_SUFFIX: Readonly<Record<Compression, string>> = {
  none: '',
  gzip: '.gz',
  zstd: '.zst',
}
