/** One line of `doctor`, `source test` or `stream test`: what was looked at, what was seen, what to do. */
export type Check = {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failure'
  readonly message: string
  readonly hint?: string
  /** The far side refused credentials or permissions: exit code 5 instead of 3. Never printed. */
  readonly refused?: true
}
