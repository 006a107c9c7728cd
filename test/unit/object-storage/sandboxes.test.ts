import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { faultPlan } from '../../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../../src/sandbox/registry.ts'
import type { SandboxService } from '../../../src/sandbox/service.ts'

/** What the strict servers refuse, asked without an SDK; what they take is tried with the SDKs by `npm run test:real`. */
async function started(name: string): Promise<SandboxService> {
  const start = await SANDBOXES[name]?.()
  if (start === undefined) throw new Error(`${name} has no sandbox`)
  return start({ events: 50, seed: 1, generation: '2026', recent: false, faults: faultPlan(), now: Date.now })
}

describe('the sandbox of S3', () => {
  let server: SandboxService
  before(async () => {
    server = await started('s3')
  })
  after(() => server.close())

  const scope = 'Credential=AKIASANDBOX000000001/20261120/us-east-1/s3/aws4_request'
  const signed = `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${'0'.repeat(64)}`
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const today = signed.replace('20261120', now.slice(0, 8))
  const hash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  for (const [title, headers, status, code] of [
    ['a request without a signature', {}, 403, 'AccessDenied'],
    ['a malformed one', { authorization: 'Bearer x' }, 400, 'AuthorizationHeaderMalformed'],
    [
      'an unknown key',
      { authorization: today.replace('0001/', '0009/'), 'x-amz-date': now },
      403,
      'InvalidAccessKeyId',
    ],
    [
      'an old clock',
      { authorization: signed, 'x-amz-date': '20261120T000000Z' },
      403,
      'RequestTimeTooSkewed',
    ],
    [
      'a header that is not signed',
      { authorization: today, 'x-amz-date': now, 'x-amz-content-sha256': hash, 'x-amz-meta-a': 'b' },
      403,
      'AccessDenied',
    ],
    [
      'another body than the digest says',
      { authorization: today, 'x-amz-date': now, 'x-amz-content-sha256': 'f'.repeat(64) },
      400,
      'XAmzContentSHA256Mismatch',
    ],
    [
      'a streamed body',
      {
        authorization: today,
        'x-amz-date': now,
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      },
      501,
      'NotImplemented',
    ],
    [
      'a wrong signature',
      { authorization: today, 'x-amz-date': now, 'x-amz-content-sha256': hash },
      403,
      'SignatureDoesNotMatch',
    ],
  ] as const) {
    test(`refuses ${title}`, async () => {
      const reply = await fetch(`${server.urls['s3']}/audit-lake?list-type=2`, { headers })
      assert.equal(reply.status, status)
      assert.match(await reply.text(), new RegExp(`<Code>${code}</Code>`))
    })
  }
})

describe('the sandbox of Google Cloud Storage', () => {
  let server: SandboxService
  let base: string
  const auth = { authorization: 'Bearer ya29.sandbox-token-of-google-cloud-storage' }
  before(async () => {
    server = await started('gcs')
    base = String(server.urls['gcs'])
  })
  after(() => server.close())

  const put = (query: string, body: string, headers: Record<string, string> = auth) =>
    fetch(`${base}/upload/storage/v1/b/audit-lake/o?uploadType=media&${query}`, {
      method: 'POST',
      headers,
      body,
    })

  test('refuses a request without a token, with an unknown one, and one without permission', async () => {
    const statuses = [undefined, 'Bearer nobody', 'Bearer ya29.sandbox-token-without-permissions'].map(
      async (token) => {
        const headers: Record<string, string> = token === undefined ? {} : { authorization: token }
        return (await fetch(`${base}/storage/v1/b/audit-lake/o`, { headers })).status
      },
    )
    assert.deepEqual(await Promise.all(statuses), [401, 401, 403])
  })

  test('creates once, and lists from an offset over pages', async () => {
    for (const name of ['a/1', 'a/2', 'a/3', 'b/1'])
      assert.equal((await put(`name=${name}&ifGenerationMatch=0`, name)).status, 200)
    assert.equal((await put('name=a/1&ifGenerationMatch=0', 'again')).status, 412)
    const list = async (query: string) =>
      (await (await fetch(`${base}/storage/v1/b/audit-lake/o?${query}`, { headers: auth })).json()) as Record<
        string,
        unknown
      >
    const names = (reply: Record<string, unknown>) =>
      ((reply['items'] ?? []) as { name: string }[]).map(({ name }) => name)
    assert.deepEqual(names(await list('startOffset=a/2&endOffset=b/')), ['a/2', 'a/3'])
    assert.deepEqual((await list('delimiter=/'))['prefixes'], ['a/', 'b/'])
    const first = await list('maxResults=3')
    assert.deepEqual(names(first), ['a/1', 'a/2', 'a/3'])
    assert.deepEqual(names(await list(`maxResults=3&pageToken=${first['nextPageToken']}`)), ['b/1'])
    assert.equal(
      (await fetch(`${base}/storage/v1/b/audit-lake/o?pageToken=made-up`, { headers: auth })).status,
      400,
    )
  })

  test('wants the chunks of a session in multiples of 256 KiB, each after the last', async () => {
    const opened = await fetch(`${base}/upload/storage/v1/b/audit-lake/o?uploadType=resumable&name=big`, {
      method: 'POST',
      headers: auth,
    })
    const session = String(opened.headers.get('location'))
    const chunk = (range: string, size: number) =>
      fetch(session, { method: 'PUT', headers: { 'content-range': range }, body: Buffer.alloc(size) })
    assert.equal((await chunk('bytes 0-999/*', 1000)).status, 400)
    const half = await chunk(`bytes 0-${262_143}/*`, 262_144)
    assert.deepEqual([half.status, half.headers.get('range')], [308, 'bytes=0-262143'])
    assert.equal((await chunk('bytes 0-9/262154', 10)).status, 503)
    assert.equal((await chunk('bytes 262144-262153/262154', 10)).status, 200)
  })
})

describe('the token endpoint of Google Cloud Storage', () => {
  let server: SandboxService
  let key: { readonly private_key: string; readonly private_key_id: string; readonly token_uri: string }
  before(async () => {
    server = await started('gcs')
    key = JSON.parse(String(server.config.streams?.['lake-by-key']?.['credentials'])) as typeof key
  })
  after(() => server.close())

  const seconds = Math.floor(Date.now() / 1000)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  async function ask(claims: object, head: object = {}, spoil = ''): Promise<Response> {
    const own = {
      iss: 'audit@sandbox-project.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/devstorage.read_write',
      aud: key.token_uri,
      iat: seconds,
      exp: seconds + 3600,
    }
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid: key.private_key_id, ...head })}.${part({ ...own, ...claims })}`
    const signature = sign('RSA-SHA256', Buffer.from(text), key.private_key).toString('base64url')
    const assertion = `${text}${spoil}.${signature}`
    const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    return fetch(key.token_uri, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: grant, assertion }),
    })
  }

  test('gives a token for claims that the key has signed, good for the store', async () => {
    const reply = await ask({})
    assert.equal(reply.status, 200)
    const { access_token: token } = (await reply.json()) as { access_token: string }
    const headers = { authorization: `Bearer ${token}` }
    const list = await fetch(`${server.urls['gcs']}/storage/v1/b/audit-lake/o`, { headers })
    assert.equal(list.status, 200)
  })

  for (const [title, claims, head, spoil, error] of [
    ['claims that were changed', {}, {}, 'A', 'invalid_grant'],
    ['another algorithm', {}, { alg: 'HS256' }, '', 'invalid_grant'],
    ['another account', { iss: 'somebody@else' }, {}, '', 'invalid_grant'],
    ['another audience', { aud: 'https://example.com/token' }, {}, '', 'invalid_grant'],
    ['claims that have expired', { iat: seconds - 7200, exp: seconds - 3600 }, {}, '', 'invalid_grant'],
    ['a day at once', { exp: seconds + 86_400 }, {}, '', 'invalid_grant'],
    ['a scope that is none of the store', { scope: 'openid' }, {}, '', 'invalid_scope'],
  ] as const) {
    test(`refuses ${title}`, async () => {
      const reply = await ask(claims, head, spoil)
      assert.equal(reply.status, 400)
      assert.equal(((await reply.json()) as { error: string }).error, error)
    })
  }
})

describe('the sandbox of Azure Blob Storage', () => {
  test('refuses a request without a key and with a wrong one', async () => {
    const server = await started('azure-blob')
    try {
      const url = `${server.urls['azureBlob']}/auditctlsandbox/audit-lake?restype=container&comp=list`
      const bare = await fetch(url)
      assert.deepEqual(
        [bare.status, bare.headers.get('x-ms-error-code')],
        [401, 'NoAuthenticationInformation'],
      )
      const headers = { authorization: 'SharedKey auditctlsandbox:AAAA', 'x-ms-version': '2024-08-04' }
      const wrong = await fetch(url, { headers })
      assert.deepEqual([wrong.status, wrong.headers.get('x-ms-error-code')], [403, 'AuthenticationFailed'])
    } finally {
      await server.close()
    }
  })
})
