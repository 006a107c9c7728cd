import { UserError } from '../../core/errors.ts'
import type { GcsSettings } from './gcs.ts'
import { classOf, type LoadedPackage, loadPackage } from './load-package.ts'

type Options = Readonly<Record<string, unknown>>

// Comes with the SDK of the store.
const PACKAGE = 'google-auth-library'
const SCOPES = ['https://www.googleapis.com/auth/devstorage.read_write']

/**
 * What the settings say of who asks, as options of the SDK; undefined leaves it to Application Default Credentials.
 * @throws UserError when the key file's text is none
 */
export async function gcsIdentity({ credentials, accessToken }: GcsSettings): Promise<Options | undefined> {
  if (accessToken !== undefined) {
    const auth = await loadPackage(PACKAGE, 'an "accessToken"')
    const client = new (classOf<{ setCredentials(value: Options): void }>(auth, 'OAuth2Client', PACKAGE))()
    client.setCredentials({ access_token: await accessToken.reveal() })
    return { authClient: client }
  }
  if (credentials === undefined) return undefined
  const key = keyOf(await credentials.reveal(), credentials.origin)
  const auth = key['type'] === 'service_account' ? await authPackage() : undefined
  if (auth === undefined) return { credentials: key }
  // Handed over as it is, newer releases print a warning.
  const { client_email: email, private_key: secret, private_key_id: keyId } = key
  const Signed = classOf<object>(auth, 'JWT', PACKAGE)
  return { authClient: new Signed({ email, key: secret, keyId, scopes: SCOPES }) }
}

/** Undefined where the package manager keeps it to the SDK. */
async function authPackage(): Promise<LoadedPackage | undefined> {
  try {
    return await loadPackage(PACKAGE, '"credentials"')
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

function keyOf(text: string, origin: string): Options {
  try {
    return JSON.parse(text) as Options
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new UserError(`credentials (${origin}) is not the JSON of a key file`, {
      hint: 'write "credentials": "file:/path/to/key.json"',
      code: 'config',
    })
  }
}
