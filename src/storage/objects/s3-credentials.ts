import { UserError } from '../../core/errors.ts'
import { classOf, loadPackage } from './load-package.ts'
import type { S3Settings } from './s3.ts'

const PACKAGE = '@aws-sdk/credential-providers'

type Provider = (settings: Readonly<Record<string, unknown>>) => unknown

/**
 * `{ credentials }` where the settings name some; `{}` leaves the SDK to its own chain: environment, shared files with SSO, roles and
 * processes, web identity token, container and instance metadata.
 */
export async function s3Credentials(settings: S3Settings): Promise<{ readonly credentials?: unknown }> {
  const { accessKeyId, secretAccessKey, sessionToken, profile, roleArn, externalId, region } = settings
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new UserError('accessKeyId and secretAccessKey must be set together', { code: 'config' })
  }
  // A function, so that keys from a command or a keychain are read when they are needed.
  const keys =
    accessKeyId === undefined || secretAccessKey === undefined
      ? undefined
      : async () => ({
          accessKeyId: await accessKeyId.reveal(),
          secretAccessKey: await secretAccessKey.reveal(),
          ...(sessionToken === undefined ? {} : { sessionToken: await sessionToken.reveal() }),
        })
  if (roleArn === undefined && profile === undefined) return keys === undefined ? {} : { credentials: keys }
  const providers = await loadPackage(PACKAGE, roleArn === undefined ? 'a "profile"' : 'a "roleArn"')
  const chain = () => provider(providers, 'fromNodeProviderChain')(profile === undefined ? {} : { profile })
  if (roleArn === undefined) return { credentials: keys ?? chain() }
  return {
    credentials: provider(
      providers,
      'fromTemporaryCredentials',
    )({
      masterCredentials: keys ?? chain(),
      params: {
        RoleArn: roleArn,
        RoleSessionName: 'auditctl',
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
      },
      ...(region === undefined ? {} : { clientConfig: { region } }),
    }),
  }
}

function provider(loaded: Readonly<Record<string, unknown>>, name: string): Provider {
  return classOf<object>(loaded, name, PACKAGE) as unknown as Provider
}
