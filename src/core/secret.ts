/** Turns `env:NAME`, `file:PATH`, `cmd:COMMAND`, `keychain:NAME` or a literal into the value. */
export type SecretResolver = (reference: string) => string | Promise<string>

/** A credential that prints as `***` wherever it is shown by mistake; only `reveal()` gives it, and only to the code that sends it. */
export class Secret {
  readonly #reference: string
  #resolver: SecretResolver | undefined
  #value: Promise<string> | undefined

  /** Without a resolver the secret must be bound before it is revealed; settings are bound as a whole by `bindSecrets`. */
  constructor(reference: string, resolver?: SecretResolver) {
    this.#reference = reference
    this.#resolver = resolver
  }

  /** Where it comes from without saying what it is: `env:HEC_TOKEN`, or `literal`. */
  get origin(): string {
    return /^(?:env|file|cmd|keychain):/.test(this.#reference) ? this.#reference : 'literal'
  }

  bind(resolver: SecretResolver): void {
    this.#resolver = resolver
  }

  /** The value, resolved once. @throws UserError naming the reference that could not be resolved */
  reveal(): Promise<string> {
    this.#value ??= Promise.resolve()
      .then(() => {
        if (this.#resolver === undefined) throw new Error('a secret was revealed before it was bound')
        return this.#resolver(this.#reference)
      })
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

/** Binds every secret inside parsed settings. */
export function bindSecrets(settings: unknown, resolver: SecretResolver): void {
  if (settings instanceof Secret) settings.bind(resolver)
  else if (Array.isArray(settings)) for (const item of settings) bindSecrets(item, resolver)
  else if (settings !== null && typeof settings === 'object') {
    for (const item of Object.values(settings)) bindSecrets(item, resolver)
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
