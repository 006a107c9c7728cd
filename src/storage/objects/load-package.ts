import { UserError } from '../../core/errors.ts'

export type LoadedPackage = Readonly<Record<string, unknown>>

/**
 * A package that only the users of one store need, and so install themselves.
 * @throws UserError with the command that installs it
 */
export async function loadPackage(name: string, what: string): Promise<LoadedPackage> {
  try {
    return (await import(name)) as LoadedPackage
  } catch (cause) {
    const isMissing =
      cause instanceof Error &&
      'code' in cause &&
      /^ERR_MODULE_NOT_FOUND$|^MODULE_NOT_FOUND$/.test(String(cause.code))
    if (!isMissing) throw cause
    throw new UserError(`${what} needs the package ${name}, which is not installed`, {
      cause,
      hint: `npm install ${name} (with --global where auditctl is installed globally)`,
      code: 'missing-package',
    })
  }
}

export type Constructor<Made> = new (...settings: readonly unknown[]) => Made

/** @throws UserError when this version of the package lacks the class */
export function classOf<Made>(loaded: LoadedPackage, name: string, packageName: string): Constructor<Made> {
  const found = loaded[name]
  if (typeof found === 'function') return found as Constructor<Made>
  throw new UserError(`this version of ${packageName} has no ${name}`, {
    hint: `npm install ${packageName}@latest`,
  })
}
