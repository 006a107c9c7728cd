/** An answer with `x-ms-error-code`. */
export class BlobError extends Error {
  override readonly name = 'BlobError'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }

  xml(): string {
    return `\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${this.code}</Code><Message>${this.message}</Message></Error>`
  }
}
