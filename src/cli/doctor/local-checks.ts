import { environmentSources, missingVariables } from '../../config/environment.ts'
import { isReadableByOthers } from '../../config/secrets.ts'
import type { Check } from '../../core/check.ts'
import { Secret } from '../../core/secret.ts'
import { checkSource, checkStream, holdsLiteral } from '../entries.ts'
import type { Settings } from '../settings.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The configuration file: every key of every entry, who may read it, what the environment adds. */
export async function configurationChecks(settings: Settings, env: Environment): Promise<readonly Check[]> {
  const { file, registries, sourceNames, streamNames } = settings
  const checks: Check[] = []
  const problems: string[] = []
  let hasLiteral = false
  let hasCommand = false
  const note = (checked: Awaited<ReturnType<typeof checkSource | typeof checkStream>>): void => {
    if (!checked.ok) problems.push(...checked.problems)
    else {
      hasLiteral ||= holdsLiteral(checked.options)
      hasCommand ||= holdsCommand(checked.options)
    }
  }
  for (const name of Object.keys(file.config.sources))
    note(await checkSource(name, settings.sourceEntry(name), registries.sources))
  for (const name of streamNames)
    note(await checkStream(name, settings.streamEntry(name), registries.destinations))
  const check = 'configuration'
  for (const message of problems) {
    checks.push({ check, state: 'failure', message, hint: `correct it in ${file.path}` })
  }
  if (problems.length === 0) checks.push(wholeCheck(settings))
  checks.push(...modeChecks(settings, { hasLiteral, hasCommand }), ...pairChecks(settings))
  const fromEnvironment = Object.keys(environmentSources(env)).filter((name) => sourceNames.includes(name))
  if (fromEnvironment.length > 0) {
    const message = `the environment makes the source ${fromEnvironment.join(' and ')}`
    checks.push({ check: 'environment', state: 'ok', message })
  }
  const missing = missingVariables(env)
  if (missing !== undefined) {
    const message = `some, but not all of the variables of a source are set: ${missing} is missing`
    checks.push({ check: 'environment', state: 'warning', message, hint: 'set it, or unset the others' })
  }
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    checks.push({
      check: 'environment',
      state: 'warning',
      message: 'NODE_TLS_REJECT_UNAUTHORIZED=0 asks Node to take any certificate',
      hint: 'unset it, and name your certificate authority in tls.caFile',
    })
  }
  return checks
}

function wholeCheck({ file, sourceNames, streamNames }: Settings): Check {
  const check = 'configuration'
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`
  if (sourceNames.length === 0) {
    const message = file.text === undefined ? `there is no file ${file.path}` : `${file.path} has no source`
    const hint = 'auditctl source add NAME --type infisical, or set INFISICAL_API_URL and INFISICAL_TOKEN'
    return { check, state: 'failure', message, hint }
  }
  const where = file.text === undefined ? `no file ${file.path}` : `${file.path} is valid`
  const message = `${where}; ${count(sourceNames.length, 'source')}, ${count(streamNames.length, 'stream')}`
  return { check, state: 'ok', message }
}

function modeChecks(
  { file }: Settings,
  { hasLiteral, hasCommand }: { readonly hasLiteral: boolean; readonly hasCommand: boolean },
): Check[] {
  if (file.file === undefined || process.platform === 'win32') return []
  const check = 'configuration file: mode'
  const { mode, uid } = file.file
  const bits = (mode & 0o777).toString(8).padStart(3, '0')
  const hint = `chmod 600 ${file.path}`
  if ((mode & 0o022) !== 0) {
    const more = hasCommand ? ', so that its cmd: secrets are not run' : ''
    const message = `others can write it (${bits})${more}: they decide where events are sent`
    return [{ check, state: hasCommand ? 'failure' : 'warning', message, hint }]
  }
  if (hasLiteral && isReadableByOthers(mode)) {
    const message = `it holds a secret in plain text and others can read it (${bits})`
    return [{ check, state: 'failure', message, hint: `${hint}, and then change the secret` }]
  }
  const reader = process.getuid?.()
  if (hasCommand && reader !== undefined && uid !== reader && uid !== 0) {
    const message = 'it belongs to another account, so that its cmd: secrets are not run'
    return [{ check, state: 'failure', message, hint: `chown ${reader} ${file.path}` }]
  }
  const message = hasLiteral
    ? `only its owner can read it (${bits}); it holds a secret in plain text`
    : `${bits}; it holds no secret in plain text`
  return [{ check, state: 'ok', message }]
}

function pairChecks({ sourceNames, streamNames, streamEntry }: Settings): Check[] {
  return streamNames.flatMap((stream): Check[] => {
    const allowed = streamEntry(stream)['sources']
    if (!Array.isArray(allowed)) return []
    const unknown = allowed.filter((name) => !sourceNames.includes(String(name)))
    if (unknown.length === 0) return []
    return [
      {
        check: `stream ${stream}: sources`,
        state: 'warning',
        message: `it may be paired with ${unknown.join(', ')}, which is not configured`,
        hint: `auditctl config set streams.${stream}.sources '${JSON.stringify(sourceNames)}'`,
      },
    ]
  })
}

function holdsCommand(options: unknown): boolean {
  if (options instanceof Secret) return options.origin.startsWith('cmd:')
  if (options === null || typeof options !== 'object') return false
  return Object.values(options).some(holdsCommand)
}
