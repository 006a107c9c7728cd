import { saveConfig } from '../config/load.ts'
import { type Config, configError, ENTRY_NAME, type Entry } from '../config/schema.ts'
import { type EntrySchema, isSecretAt, valueAtPath } from '../config/schema-walk.ts'
import { EXIT, type ExitCode, UserError } from '../core/errors.ts'
import { suggestion } from '../core/suggest.ts'
import { definitionOf } from './entries.ts'
import { type SettingsExtras, settingsFor } from './entry-actions.ts'
import { applySettings, completeEntry, setAt } from './entry-builder.ts'
import { type Invocation, listOption } from './invocation.ts'
import { isMasked, type LiveStream, type Mapped, mapLiveStream, variableFor } from './live-stream-settings.ts'
import { liveStreams } from './live-streams.ts'
import { canAsk, openPrompter, type Prompter, readSecrets } from './prompt.ts'
import type { Runtime } from './runtime.ts'

type Chosen = { readonly name: string; readonly live: LiveStream; readonly mapped: Mapped }

/**
 * `stream import`: the source's own streams as entries of the configuration, so that a backfill matches them. What is masked there is asked
 * for on a terminal, or given by `--set` and `--secret-stdin`; else a variable is named that is to hold it. All or nothing is written.
 */
export async function importStreams(
  invocation: Invocation,
  runtime: Runtime,
  extras: SettingsExtras,
): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime, { ...extras, mayCreate: true })
  const source = settings.sourceName()
  const found = await liveStreams(source, settings, runtime)
  const chosen = choose(found, invocation.args, runtime)
  if (chosen.length === 0) {
    runtime.log.warn(`${source} has no stream that can be imported`)
    return EXIT.done
  }
  const { config, path } = settings.file
  refuseTaken(chosen, config, path)
  const given = settingsByStream(listOption(invocation, 'set'), chosen, '--set')
  const piped = await pipedSecrets(invocation, chosen, runtime)
  let prompter: Prompter | undefined
  const ask = (): Prompter | undefined => {
    if (!canAsk(runtime.io)) return undefined
    prompter ??= openPrompter(runtime.io, runtime.signal)
    return prompter
  }
  try {
    let streams: Entry = config.streams
    const lines: string[] = []
    for (const { name, live, mapped } of chosen) {
      const { options: schema } = await definitionOf<{ options: EntrySchema }>(
        live.provider,
        settings.registries.destinations,
        'stream import',
      )
      const start = applySettings({ ...mapped.entry, sources: [source] }, given.get(name) ?? [], schema)
      const withPiped = (piped.get(name) ?? []).reduce((entry, { field, value }) => {
        if (!isSecretAt(schema, field)) throw notSecret(field, mapped)
        return setAt(entry, field, value)
      }, start)
      const secrets = await fillSecrets(name, withPiped, mapped, ask)
      const entry = await completeEntry(secrets.entry, schema, {
        prefix: ['streams', name],
        ask,
        fail: (problems) => configError(`stream import ${name}`, problems),
      })
      refuseMask(name, entry)
      streams = setAt(streams, [name], entry)
      lines.push(...warnings(name, mapped, secrets.referenced))
    }
    await saveConfig(settings.file, { ...config, streams } as Config)
    for (const { name, live } of chosen)
      runtime.log.info(
        `imported ${live.provider} (${live.id}) as the stream ${name} to ${path}; try: auditctl stream test ${name}`,
      )
    for (const line of lines) runtime.log.warn(line)
    for (const { name, mapped } of chosen) tellRemarks(name, mapped, streams[name] as Entry, runtime)
    return EXIT.done
  } finally {
    prompter?.close()
  }
}

/** Named after their providers, numbered where there are several; `NAME…` picks some by that name, by id, or as `NEW=NAME`. */
function choose(
  found: readonly LiveStream[],
  words: readonly string[],
  runtime: Pick<Runtime, 'log'>,
): readonly Chosen[] {
  const seen = new Map<string, number>()
  const known: Chosen[] = []
  for (const live of found) {
    const mapped = mapLiveStream(live)
    if (mapped === undefined) {
      runtime.log.warn(
        `the stream ${live.id} is of the provider ${live.provider}, which auditctl does not know; it was left out`,
      )
      continue
    }
    const number = (seen.get(live.provider) ?? 0) + 1
    seen.set(live.provider, number)
    known.push({ name: number === 1 ? live.provider : `${live.provider}-${number}`, live, mapped })
  }
  if (words.length === 0) return known
  return words.map((word) => {
    const [wanted = '', alias] = word.split('=').reverse()
    const match = known.find(({ name, live }) => name === wanted || live.id === wanted)
    // The only stream there is may be given a name at once.
    const only = known.length === 1 && words.length === 1 ? known[0] : undefined
    const picked = match ?? only
    if (picked === undefined) {
      const names = known.map(({ name }) => name)
      throw new UserError(`the source has no stream ${JSON.stringify(wanted)}`, {
        hint: suggestion(wanted, names) ?? 'it has none',
      })
    }
    const name = alias ?? (match === undefined ? wanted : picked.name)
    if (!ENTRY_NAME.test(name)) {
      throw new UserError(`${JSON.stringify(name)} is not a name for a stream`, {
        hint: 'letters, digits, and . _ @ - inside, at most 64 of them',
      })
    }
    return { ...picked, name }
  })
}

function refuseTaken(chosen: readonly Chosen[], config: Config, path: string): void {
  const names = chosen.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new UserError(`the name ${twice} is given twice`)
  const taken = names.filter((name) => Object.hasOwn(config.streams, name))
  const [first] = taken
  if (first === undefined) return
  throw new UserError(`${path} has a stream named ${taken.join(' and ')} already; nothing was written`, {
    code: 'exists',
    hint: `import it under another name: auditctl stream import NEW=${first}; or auditctl stream remove ${first}`,
  })
}

/** `KEY=VALUE` belongs to the only stream, `NAME.KEY=VALUE` to one of several. */
function settingsByStream(
  words: readonly string[],
  chosen: readonly Chosen[],
  flag: string,
): ReadonlyMap<string, readonly string[]> {
  const byName = new Map<string, string[]>()
  for (const word of words) {
    const owner = chosen.find(({ name }) => word.startsWith(`${name}.`))
    const [only] = chosen
    if (owner === undefined && (chosen.length > 1 || only === undefined)) {
      throw new UserError(`${flag} ${word.replace(/=.*$/s, '')}: of which stream?`, {
        hint: `put its name before the key: ${chosen.map(({ name }) => `${flag} ${name}.KEY`).join(', ')}`,
      })
    }
    const { name } = owner ?? (only as Chosen)
    const rest = owner === undefined ? word : word.slice(name.length + 1)
    byName.set(name, [...(byName.get(name) ?? []), rest])
  }
  return byName
}

async function pipedSecrets(invocation: Invocation, chosen: readonly Chosen[], runtime: Runtime) {
  const fields = listOption(invocation, 'secretStdin')
  const byName = new Map<string, { readonly field: readonly string[]; readonly value: string }[]>()
  if (fields.length === 0) return byName
  const values = await readSecrets(runtime.io, fields)
  for (const [i, word] of fields.entries()) {
    for (const [name, [field = '']] of settingsByStream([word], chosen, '--secret-stdin')) {
      byName.set(name, [...(byName.get(name) ?? []), { field: field.split('.'), value: values[i] ?? '' }])
    }
  }
  return byName
}

/** What is masked and was not given: asked for, or left to a variable. */
async function fillSecrets(
  name: string,
  entry: Entry,
  { secrets }: Mapped,
  ask: () => Prompter | undefined,
): Promise<{ readonly entry: Entry; readonly referenced: readonly string[] }> {
  let whole = entry
  const referenced: string[] = []
  for (const path of secrets) {
    if (valueAtPath(whole, path) !== undefined) continue
    const prompter = ask()
    if (prompter === undefined) {
      const variable = variableFor(name, path)
      referenced.push(variable)
      whole = setAt(whole, path, `env:${variable}`)
      continue
    }
    let value = ''
    for (let question = `${name}.${path.join('.')}`; value === '' || isMasked(value); ) {
      value = await prompter.secret(question)
      question = `${name}.${path.join('.')} (the real value, or a reference like env:NAME)`
    }
    whole = setAt(whole, path, value)
  }
  return { entry: whole, referenced }
}

function warnings(name: string, { entry }: Mapped, referenced: readonly string[]): string[] {
  const lines: string[] = []
  if (referenced.length > 0) {
    lines.push(
      `${name}: the product masks its secrets; set ${referenced.join(', ')} before the stream is used, or change where it is read from with auditctl config set`,
    )
  }
  if (entry['headers'] !== undefined) {
    lines.push(
      `${name}: this release tells its header values in full, and they were written as they are; better put them behind env: or file:`,
    )
  }
  return lines
}

function tellRemarks(name: string, { remarks }: Mapped, entry: Entry, { log }: Pick<Runtime, 'log'>): void {
  for (const remark of remarks) {
    const [key = ''] = /^\w+(?=:)/.exec(remark) ?? []
    if (entry[key] === undefined) log.info(`${name}: ${remark}`)
  }
}

/** @throws UserError before the product's mask could be sent as if it were a value */
function refuseMask(name: string, entry: unknown): void {
  if (typeof entry === 'string' && isMasked(entry)) {
    throw new UserError(`${name}: ${entry} is the product's mask, not a value; nothing was written`, {
      hint: 'give the real value, or a reference like env:NAME',
    })
  }
  if (entry === null || typeof entry !== 'object') return
  for (const inner of Object.values(entry)) refuseMask(name, inner)
}

function notSecret(field: readonly string[], { secrets }: Mapped): UserError {
  return new UserError(`--secret-stdin ${field.join('.')}: this is not a secret of the stream`, {
    hint: `its secrets: ${secrets.map((path) => path.join('.')).join(', ') || 'none'}`,
  })
}
