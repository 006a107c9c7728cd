/** An answer that Google's JSON API gives as an error object. */
export class GcsError extends Error {
  override readonly name = 'GcsError'
  readonly status: number
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }

  body(): unknown {
    const { status: code, message, reason } = this
    return { error: { code, message, errors: [{ message, domain: 'global', reason }] } }
  }
}
