import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { startInfisical } from '../../src/sandbox/infisical/index.ts'
import { streamedShape } from '../../src/sandbox/infisical/streamed.ts'
import type { SandboxService } from '../../src/sandbox/service.ts'

type Recording = {
  readonly note?: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query: Readonly<Record<string, string | number>> | null
  }
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}
type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}
type Identity = {
  readonly role: string
  readonly clientId: string
  readonly clientSecret: string
  readonly token: string
}

const FOLDER = join(import.meta.dirname, '../fixtures/infisical/recorded')
const QUERIES = globSync('{query-*,ratelimited-*,errors/[0-9]*}.json', { cwd: FOLDER }).sort()
const read = (name: string): Recording => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Recording

/** What the recordings leave out, since it was secret: how each caller introduced itself. */
const INTRODUCTIONS: Readonly<
  Record<string, (me: Readonly<Record<string, Identity>>) => string | undefined>
> = {
  '401-no-authorization': () => undefined,
  '403-bad-signature': (me) =>
    `Bearer ${me['reader']?.token.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))}`,
  '403-basic-scheme': () => `Basic ${Buffer.from('user:password').toString('base64')}`,
  '403-empty-bearer': () => 'Bearer',
  '403-malformed-token': () => 'Bearer not-a-token',
  '403-no-permission': (me) => `Bearer ${me['no-access']?.token}`,
  'query-auth-scheme-lower-case': (me) => `bearer ${me['reader']?.token}`,
}
const LOGINS: Readonly<Record<string, (reader: Identity) => string>> = {
  'login-200': ({ clientId, clientSecret }) => JSON.stringify({ clientId, clientSecret }),
  'login-401-wrong-secret': ({ clientId }) => JSON.stringify({ clientId, clientSecret: 'wrong' }),
  'login-404-unknown-client': () =>
    JSON.stringify({ clientId: '00000000-0000-4000-8000-000000000000', clientSecret: 'wrong' }),
  'login-422-missing-secret': ({ clientId }) => JSON.stringify({ clientId }),
  'login-500-bad-json': () => '{"clientId":',
}

let service: SandboxService
const me: Record<string, Identity> = {}
let now = 0

before(async () => {
  service = await start()
  const state = await ask(`${service.urls['admin']}/state`, 'GET')
  for (const identity of (JSON.parse(state.text) as { identities: Identity[] }).identities) {
    me[identity.role] = identity
  }
})

after(() => service.close())

/** The server of the recordings, with the newer rows that unbounded queries saw beside the window of the 4,432. */
async function start(...faults: string[]): Promise<SandboxService> {
  const started = await startInfisical({
    seed: 1,
    generation: '2025',
    recent: false,
    now: () => now,
    faults: faultPlan(faults),
  })
  const { body } = read('query-default-params.json')
  const newer = JSON.stringify({ events: (body as { auditLogs: unknown }).auditLogs })
  await ask(`${started.urls['admin']}/events`, 'POST', {}, newer)
  // Gives out the tokens, which are the same in every sandbox.
  await ask(`${started.urls['admin']}/state`, 'GET')
  return started
}

for (const file of QUERIES) {
  const name = basename(file, '.json')
  const recording = read(file)
  test(`the emulator answers as recorded: ${file}`, async () => {
    now = Date.parse(recording.headers['Date'] ?? '')
    const asked = await askAgain(name, recording)
    compare(asked, recording, name)
  })
}

for (const file of [
  'login-200.json',
  ...globSync('errors/login-*.json', { cwd: FOLDER }).map((path) => basename(path)),
]) {
  test(`a log-in is answered as recorded: ${file}`, async () => {
    const name = basename(file, '.json')
    const recording = read(file === 'login-200.json' ? file : join('errors', file))
    now = Date.parse(recording.headers['Date'] ?? '')
    const body = LOGINS[name]?.(me['reader'] as Identity)
    assert.ok(body !== undefined, `${file} has no request here`)
    const type = { 'content-type': 'application/json' }
    const asked = await ask(`${service.urls['infisical']}${recording.request.path}`, 'POST', type, body)
    if (name !== 'login-200') return compare(asked, recording, name)
    assert.equal(asked.status, 200)
    const { accessToken, ...rest } = JSON.parse(asked.text) as { accessToken: string }
    const { accessToken: shortened, ...recorded } = recording.body as { accessToken: string }
    assert.deepEqual(rest, recorded)
    assert.equal(accessToken.slice(0, 12), shortened.slice(0, 12))
  })
}

test('streams are listed and shown as recorded', async () => {
  const recorded = JSON.parse(readFileSync(join(FOLDER, 'stream-api-responses.json'), 'utf8')) as Record<
    string,
    { request: { path: string }; status: number; body: { auditLogStream: { id: string } } }
  >
  for (const kind of ['list', 'get']) {
    const { request: asked, status, body } = recorded[kind] ?? assert.fail()
    const path = asked.path.replace(':id', body.auditLogStream?.id ?? '')
    const answer = await ask(`${service.urls['infisical']}${path}`, 'GET', authorization(me['reader']))
    assert.equal(answer.status, status)
    assert.deepEqual(JSON.parse(answer.text), body)
  }
})

test('the embedded events are the 4,432 recorded ones, each once', async () => {
  const events = [...(service.events?.() ?? [])]
  assert.equal(events.length, 4432 + 20)
  assert.equal(new Set(events.map((event) => event['id'])).size, 4432 + 20)
})

test('a recorded stream request holds what the streamed shape of its API row holds', () => {
  const { requests } = JSON.parse(readFileSync(join(FOLDER, 'stream-custom-single.json'), 'utf8')) as {
    requests: { body_json: Record<string, unknown> }[]
  }
  assert.equal(requests.length, 40)
  for (const { body_json: sent } of requests) {
    const { actor, actorMetadata, eventType, eventMetadata, ...rest } = sent
    const native = {
      projectName: null,
      ...rest,
      event: { type: eventType, metadata: eventMetadata },
      actor: { type: actor, metadata: actorMetadata },
    }
    // This old release left `projectId` out at organization level; newer ones send null.
    assert.deepEqual(streamedShape(native, { store: 'postgres' }), { projectId: null, ...sent })
  }
})

async function askAgain(name: string, recording: Recording): Promise<Answer> {
  const { method, path, query } = recording.request
  const words = new URLSearchParams(
    Object.entries(query ?? {}).map(([key, value]): [string, string] => [key, String(value)]),
  )
  const url = `${path}${query === null ? '' : `?${words}`}`
  const introduce = INTRODUCTIONS[name]
  const headers: Record<string, string> = {}
  const authorized = introduce === undefined ? `Bearer ${me['reader']?.token}` : introduce(me)
  if (authorized !== undefined) headers['authorization'] = authorized
  if (name === 'query-if-none-match-304') {
    headers['if-none-match'] = read('query-page-1.json').headers['etag'] ?? ''
  }
  if (!/429|ratelimited/.test(name)) return await ask(service.urls['infisical'] + url, method, headers)
  const limited = await start('infisical:limit=60')
  try {
    if (name === '429-rate-limit') {
      // The minute began a second before; sixty requests went well.
      now -= 1000
      for (let turn = 0; turn < 60; turn += 1) await ask(limited.urls['infisical'] + url, method, headers)
      now += 1000
    }
    return await ask(limited.urls['infisical'] + url, method, headers)
  } finally {
    await limited.close()
  }
}

function compare(asked: Answer, recording: Recording, name: string): void {
  assert.equal(asked.status, recording.status)
  const body: unknown = asked.text === '' ? '' : JSON.parse(asked.text)
  assert.deepEqual(shapeOf(body), shapeOf(recording.body))
  // Key order and spelling too, but for the request id.
  assert.equal(anonymous(asked.text), recording.body === '' ? '' : anonymous(JSON.stringify(recording.body)))
  const skipped = ['Date', ...(/"reqId"/.test(asked.text) ? ['etag'] : [])]
  for (const [header, value] of Object.entries(recording.headers)) {
    if (!skipped.includes(header)) assert.equal(asked.headers[header], value, `${name}: ${header}`)
  }
  const extra = Object.keys(asked.headers).filter((header) => !(header in recording.headers))
  assert.deepEqual(extra, [])
}

function shapeOf(body: unknown): unknown {
  return body !== null && typeof body === 'object' && 'reqId' in body ? { ...body, reqId: 'req' } : body
}

function anonymous(text: string): string {
  return text.replace(/"reqId":"req-[A-Za-z0-9]{14}"/, '"reqId":"req"')
}

function authorization(identity: Identity | undefined): Record<string, string> {
  return { authorization: `Bearer ${identity?.token}` }
}

/** With `node:http`, which shows header names as they were sent. */
function ask(url: string, method: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const names = response.rawHeaders
        const pairs = names.flatMap((word, at) =>
          at % 2 === 0 ? [[word, names[at + 1] ?? ''] as const] : [],
        )
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(pairs), text })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
