const SERVICE = 'auditctl'

/** The password that the system's keychain holds for `name` under the service auditctl; null when it holds none. @throws when there is no keychain */
export async function readKeychain(name: string): Promise<string | null> {
  // Loaded on demand: a native module costs start-up time, and is not there for every platform.
  const { AsyncEntry } = await import('@napi-rs/keyring')
  return (await new AsyncEntry(SERVICE, name).getPassword()) ?? null
}
