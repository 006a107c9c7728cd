/** A credential that prints as `***` wherever it is shown by mistake; only `reveal()` gives it, and only to the code that sends it. */
export class Secret {
  readonly #resolve: () => string | Promise<string>
  readonly #origin: string
  #value: Promise<string> | undefined

  /** `origin` says where it comes from without saying what it is: `env:HEC_TOKEN`, `literal`. */
  constructor(resolve: () => string | Promise<string>, origin = 'literal') {
    this.#resolve = resolve
    this.#origin = origin
  }

  get origin(): string {
    return this.#origin
  }

  /** The value, resolved once. @throws UserError naming the reference that could not be resolved */
  reveal(): Promise<string> {
    this.#value ??= Promise.resolve()
      .then(() => this.#resolve())
      .then((value) => {
        registerSecret(value)
        return value
      })
    return this.#value
  }

  toString(): string {
    return '***'
  }
  toJSON(): string {
    return '***'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***'
  }
}

const known = new Set<string>()

/** Remembers a value so that `redact` hides it: the last line of defence, for servers that echo what they were sent. */
export function registerSecret(value: string): void {
  // Short values would blank out ordinary words.
  if (value.length < 6) return
  known.add(value)
  known.add(encodeURIComponent(value))
  known.add(Buffer.from(value).toString('base64'))
  known.add(JSON.stringify(value).slice(1, -1))
}

/** The text with every revealed secret replaced by `***`, and user info cut out of URLs. */
export function redact(text: string): string {
  let clean = text
  for (const value of known) if (clean.includes(value)) clean = clean.replaceAll(value, '***')
  return clean.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]+(?::[^\s/@]*)?@/gi, '$1***@')
}
