import { AuthError } from '../core/errors.ts'
import { registerSecret, type Secret } from '../core/secret.ts'
import type { EpochMs } from '../core/time-range.ts'

/** A token as a log-in gives it. Without `renewAt` only a refusal tells that it is over. */
export type Granted = { readonly value: string; readonly renewAt?: EpochMs }

type Token = Granted & {
  readonly isFirst: boolean
  hasWorked: boolean
  /** Requests that carry it and are not answered yet. */
  inFlight: number
  /** Called when it has worked, or nothing is in flight. */
  onKnown: (() => void)[]
}

export type BearerParts<Answer> = {
  /** Logs in, or reveals a configured token. @throws AuthError for credentials that are refused: they are never sent again */
  obtain(signal: AbortSignal): Promise<Granted>
  isRefused(answer: Answer): boolean
  /** The refusal of the credentials that a refused token proves; undefined where another token may do. */
  judge(
    token: { readonly isFirst: boolean; readonly hasWorked: boolean },
    answer: Answer,
  ): AuthError | undefined
  readonly now?: () => EpochMs
}

/**
 * Tokens as they come and go: one log-in serves all workers of a run, a token that is refused after it has worked is replaced, and
 * credentials that were refused are never sent again.
 */
export class Bearer<Answer> {
  readonly #parts: BearerParts<Answer>
  #token: Token | undefined
  #pending: Promise<Token> | undefined
  #refusal: AuthError | undefined
  #value: string | undefined

  constructor(parts: BearerParts<Answer>) {
    this.#parts = parts
  }

  /** Resolves with any answer but a refused token. @throws AuthError when the credentials or a fresh token are refused */
  async carry(request: (token: string) => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    for (;;) {
      const token = await this.#current(signal)
      const answer = await this.#carried(token, request)
      if (!this.#parts.isRefused(answer)) return answer
      // One that is good for few calls is refused at once while the answer to a neighbour, which will show that it worked, takes its time.
      await known(token)
      signal.throwIfAborted()
      // Another worker may have replaced it meanwhile; then this one goes on with the new token.
      if (this.#token === token) this.#dismiss(token, answer)
    }
  }

  /** Logs in if nobody has, and proves nothing more. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#current(signal)
  }

  /** What the token says about its bearer, unverified; undefined before the first log-in and for tokens that say nothing. */
  claim(...names: readonly string[]): string | undefined {
    try {
      const payload = this.#value?.split('.')[1] ?? ''
      const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
      if (claims === null || typeof claims !== 'object') return undefined
      for (const name of names) {
        const value = Object.hasOwn(claims, name) ? (claims as { [name: string]: unknown })[name] : undefined
        if (typeof value === 'string' && value !== '') return value
      }
    } catch {
      // An opaque token.
    }
    return undefined
  }

  async #carried(token: Token, request: (token: string) => Promise<Answer>): Promise<Answer> {
    token.inFlight += 1
    try {
      const answer = await request(token.value)
      if (!this.#parts.isRefused(answer)) token.hasWorked = true
      return answer
    } finally {
      token.inFlight -= 1
      if (token.hasWorked || token.inFlight === 0) for (const tell of token.onKnown.splice(0)) tell()
    }
  }

  async #current(signal: AbortSignal): Promise<Token> {
    if (this.#refusal !== undefined) throw this.#refusal
    const token = this.#token
    const { now } = this.#parts
    const isOver = token?.renewAt !== undefined && now !== undefined && token.renewAt <= now()
    if (token !== undefined && !isOver) return token
    this.#pending ??= this.#obtain(signal)
    return this.#pending
  }

  async #obtain(signal: AbortSignal): Promise<Token> {
    try {
      const granted = await this.#parts.obtain(signal)
      registerSecret(granted.value)
      const token = {
        ...granted,
        isFirst: this.#value === undefined,
        hasWorked: false,
        inFlight: 0,
        onKnown: [],
      }
      this.#value = granted.value
      this.#token = token
      return token
    } catch (error) {
      if (error instanceof AuthError) this.#refusal = error
      throw error
    } finally {
      this.#pending = undefined
    }
  }

  #dismiss(token: Token, answer: Answer): void {
    this.#refusal = this.#parts.judge(token, answer)
    if (this.#refusal !== undefined) throw this.#refusal
    this.#token = undefined
  }
}

/** Resolves once the token has worked, or no request that carries it is left to tell. */
async function known(token: Token): Promise<void> {
  if (token.hasWorked || token.inFlight === 0) return
  await new Promise<void>((resolve) => {
    token.onKnown.push(resolve)
  })
}

/** ` of env:NAME` for messages; nothing for a credential that stands in the configuration itself. */
export function whose(secret: Secret): string {
  return secret.origin === 'literal' ? '' : ` of ${secret.origin}`
}
