import { readFileSync } from 'node:fs'
import type { SecureContext } from 'node:tls'
import { UserError } from '../core/errors.ts'
import type { TlsSettings } from '../core/http.ts'

/** What undici's connector hands to `tls.connect`. */
export type TlsOptions = {
  readonly minVersion: 'TLSv1.2'
  readonly secureContext?: SecureContext
  readonly rejectUnauthorized?: false
}

/**
 * The user's TLS settings as options of a connection; TLS 1.2 at least whatever Node was told. `caFile` is added to the usual authorities.
 * @throws UserError for a file that cannot be read or is not what it should be, naming the key
 */
export function tlsOptions(settings: TlsSettings | undefined): TlsOptions {
  const { caFile, certFile, keyFile, insecureSkipVerify } = settings ?? {}
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UserError(
      `tls.${certFile === undefined ? 'keyFile' : 'certFile'} is set without its other half`,
      {
        hint: 'a client certificate needs both tls.certFile and tls.keyFile',
      },
    )
  }
  const unverified = insecureSkipVerify === true ? ({ rejectUnauthorized: false } as const) : undefined
  if (caFile === undefined && certFile === undefined) return { minVersion: 'TLSv1.2', ...unverified }
  const ca = read(caFile, 'caFile')
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new UserError(`tls.caFile: ${caFile} holds no certificate`, { hint: 'it must be PEM text' })
  }
  const cert = read(certFile, 'certFile')
  const key = read(keyFile, 'keyFile')
  // Imported, it would weigh on every start; undici asks for it where a connection needs it.
  const { createSecureContext, getCACertificates } = process.getBuiltinModule('node:tls')
  try {
    const secureContext = createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? undefined : { ca: [...getCACertificates('default'), ca] }),
      ...(cert === undefined ? undefined : { cert }),
      ...(key === undefined ? undefined : { key }),
    })
    return { minVersion: 'TLSv1.2', secureContext, ...unverified }
  } catch (cause) {
    const files = [caFile, certFile, keyFile].filter((file) => file !== undefined)
    throw new UserError(
      `TLS cannot use ${files.join(', ')}: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
        hint: 'all must be PEM text, the key without a passphrase and belonging to the certificate',
      },
    )
  }
}

function read(file: string | undefined, key: string): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : cause
    throw new UserError(`tls.${key}: cannot read ${file} (${String(code)})`, {
      cause,
      hint: `check the path and its permissions`,
    })
  }
}
