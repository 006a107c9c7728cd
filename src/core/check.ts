/** One line of `doctor`, `source test` or `stream test`: what was looked at, what was seen, what to do. */
export type Check = {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failure'
  readonly message: string
  readonly hint?: string
}
