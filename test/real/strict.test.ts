import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { AuthError, RemoteConfigError } from '../../src/core/errors.ts'
import type { JsonObject } from '../../src/core/event.ts'
import { Secret } from '../../src/core/secret.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import type { SandboxService } from '../../src/sandbox/service.ts'
import { gcsIdentity } from '../../src/storage/objects/gcs-identity.ts'
import { classOf, loadPackage } from '../../src/storage/objects/load-package.ts'
import { openStore } from '../../src/storage/objects/open-store.ts'
import type { S3Client } from '../../src/storage/objects/s3.ts'
import type { ObjectStore, StoreKind } from '../../src/storage/objects/store.ts'
import { newObject, writeOnce } from '../../src/storage/objects/write-once.ts'
import { CLOCK, settingsOf } from './store-suite.ts'

const signal = AbortSignal.timeout(120_000)
const TYPE = 'application/octet-stream'
const SDK = '@aws-sdk/client-s3'

async function withSandbox(
  kind: StoreKind,
  faults: readonly string[],
  work: (server: SandboxService) => Promise<void>,
): Promise<void> {
  const start = await SANDBOXES[kind]?.()
  if (start === undefined) throw new Error(`${kind} has no sandbox`)
  const server = await start({
    seed: 1,
    generation: '2026',
    recent: false,
    faults: faultPlan(faults),
    now: Date.now,
  })
  try {
    await work(server)
  } finally {
    await server.close()
  }
}

/** A store over the settings of the sandbox's stream, changed. */
async function withStore(
  kind: StoreKind,
  settings: JsonObject,
  work: (store: ObjectStore) => Promise<void>,
): Promise<void> {
  const store = await openStore(settingsOf(kind, settings), { clock: CLOCK })
  try {
    await work(store)
  } finally {
    await store.close()
  }
}

const EXPIRED =
  '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>Token expired: current date/time 1763632800 must be before the expiration date/time 1763629200</Message></Error><RequestId>r-2</RequestId></ErrorResponse>'
/** With the keys that the sandbox knows. */
const ASSUMED =
  '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIASANDBOX000000001</AccessKeyId><SecretAccessKey>sandbox-secret-key-that-is-forty-chars-x</SecretAccessKey><SessionToken>session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>'

const streamOf = (server: SandboxService, name = 'lake'): JsonObject => server.config.streams?.[name] ?? {}
const object = (key: string, content: string | Uint8Array = key) => newObject(key, Buffer.from(content), TYPE)

/** The SDK as people use it, without our settings. */
async function plainSdk(settings: JsonObject) {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = settings
  const sdk = await loadPackage(SDK, 'these tests')
  const client = new (classOf<S3Client>(sdk, 'S3Client', SDK))({
    endpoint,
    region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  })
  return {
    send: (name: string, input: Readonly<Record<string, unknown>>) =>
      client.send(new (classOf<object>(sdk, `${name}Command`, SDK))({ Bucket: bucket, ...input }), {
        abortSignal: signal,
      }),
    close: () => client.destroy(),
  }
}

describe('S3', () => {
  test('an upload in parts that lost a race is taken back, and goes through when it is made again', () =>
    withSandbox('s3', ['s3:conflict@8'], (server) =>
      withStore('s3', streamOf(server), async (store) => {
        // One look, one begin, five parts: the eighth request puts them together.
        const large = object('large', Buffer.alloc(65 * 1024 * 1024, 1))
        await assert.rejects(store.create(large, signal), { name: 'ConditionalRequestConflict' })
        assert.equal(await store.head('large', signal), undefined)
        assert.deepEqual(await writeOnce(store, large, signal), { isNew: true })
      }),
    ))

  test('a profile is read from the shared files, and a role is assumed with the keys given', async (t) => {
    const asked: string[] = []
    const sts = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += String(chunk)
      })
      request.on('end', () => {
        asked.push(
          `${new URLSearchParams(body).get('Action')} ${new URLSearchParams(body).get('ExternalId')}`,
        )
        response
          .writeHead(200, { 'content-type': 'text/xml' })
          .end(ASSUMED.replaceAll('AssumeRoleWithWebIdentity', 'AssumeRole'))
      })
    })
    await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve))
    const { port } = sts.address() as AddressInfo
    const shared = join(tmpdir(), `auditctl-shared-credentials-${process.pid}`)
    const before = { ...process.env }
    Object.assign(process.env, {
      AWS_SHARED_CREDENTIALS_FILE: shared,
      AWS_CONFIG_FILE: `${shared}-none`,
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}`,
    })
    t.after(() => {
      process.env = before
      rmSync(shared, { force: true })
      sts.close()
    })
    await withSandbox('s3', [], async (server) => {
      const { accessKeyId, secretAccessKey, ...place } = streamOf(server)
      writeFileSync(
        shared,
        `[audit]\naws_access_key_id = ${String(accessKeyId)}\naws_secret_access_key = ${String(secretAccessKey)}\n`,
      )
      await withStore('s3', { ...place, profile: 'audit' }, (store) => store.probe(signal))
      assert.deepEqual(asked, [])
      const role = { roleArn: 'arn:aws:iam::123456789012:role/audit-reader', externalId: 'acme' }
      // The keys of the profile are not what the bucket is read with.
      await withStore('s3', { ...place, profile: 'audit', ...role }, (store) => store.probe(signal))
      assert.deepEqual(asked, ['AssumeRole acme'])
      await assert.rejects(
        withStore('s3', { ...place, profile: 'nobody' }, (store) => store.probe(signal)),
        AuthError,
      )
    })
  })

  test('a web identity is changed for keys at STS, and one that has expired is told as refused credentials', async (t) => {
    let isExpired = false
    const sts = createServer((request, response) => {
      request.resume().on('end', () => {
        const [status, body] = isExpired ? [400, EXPIRED] : [200, ASSUMED]
        response.writeHead(status, { 'content-type': 'text/xml' }).end(body)
      })
    })
    await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve))
    const { port } = sts.address() as AddressInfo
    const token = join(tmpdir(), `auditctl-web-identity-${process.pid}`)
    writeFileSync(token, 'a.web.identity')
    const before = { ...process.env }
    Object.assign(process.env, {
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/audit-reader',
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}`,
      AWS_REGION: 'us-east-1',
    })
    t.after(() => {
      process.env = before
      rmSync(token, { force: true })
      sts.close()
    })
    await withSandbox('s3', [], async (server) => {
      const { accessKeyId: _, secretAccessKey: __, ...place } = streamOf(server)
      await withStore('s3', place, (store) => store.probe(signal))
      isExpired = true
      await withStore('s3', place, async (store) => {
        await assert.rejects(store.probe(signal), (error: unknown) => {
          assert.ok(error instanceof AuthError, String(error))
          assert.match(error.message, /ExpiredToken/)
          assert.match(error.hint ?? '', /have not expired/)
          return true
        })
      })
    })
  })

  test('a bucket of locked objects gets the Content-MD5 it asks for, at the first attempt from then on', () =>
    withSandbox('s3', ['s3:locked'], (server) =>
      withStore('s3', streamOf(server), async (store) => {
        assert.deepEqual(await writeOnce(store, object('a'), signal), { isNew: true })
        const before = store.requests()
        assert.deepEqual(await writeOnce(store, object('b'), signal), { isNew: true })
        assert.equal(store.requests() - before, 2)
        assert.equal(server.violations.length, 1)
      }),
    ))

  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']) {
    test(`the sandbox compares ${algorithm}, keeps it and tells it`, () =>
      withSandbox('s3', [], async (server) => {
        const { send, close } = await plainSdk(streamOf(server))
        const field = `Checksum${algorithm}`
        const put = { Key: 'a', Body: Buffer.from('content') }
        const { [field]: told } = await send('PutObject', { ...put, ChecksumAlgorithm: algorithm })
        const head = await send('HeadObject', { Key: 'a', ChecksumMode: 'ENABLED' })
        assert.ok(typeof told === 'string' && told !== '')
        assert.equal(head[field], told)
        await assert.rejects(send('PutObject', { ...put, Body: Buffer.from('other'), [field]: told }), {
          name: 'BadDigest',
        })
        close()
      }))
  }

  test('the sandbox refuses chunked bodies as other stores do, and takes them out of their frame where it is told to', async () => {
    const content = Buffer.from('a streamed body, '.repeat(10_000))
    const body = () => ({
      Key: 'streamed',
      Body: Readable.from([content.subarray(0, 70_000), content.subarray(70_000)]),
      ContentLength: content.length,
    })
    await withSandbox('s3', [], async (server) => {
      const { send, close } = await plainSdk(streamOf(server))
      await assert.rejects(send('PutObject', body()), { name: 'NotImplemented' })
      close()
    })
    await withSandbox('s3', ['s3:chunked'], async (server) => {
      const { send, close } = await plainSdk(streamOf(server))
      await send('PutObject', body())
      close()
      await withStore('s3', streamOf(server), async (store) => {
        const blocks: Uint8Array[] = []
        for await (const block of store.read('streamed', signal)) blocks.push(block)
        assert.ok(Buffer.concat(blocks).equals(content))
      })
    })
  })

  test('the sandbox keeps what does not match the tag that a writer or reader expects', () =>
    withSandbox('s3', [], async (server) => {
      const { send, close } = await plainSdk(streamOf(server))
      const { ETag } = await send('PutObject', { Key: 'a', Body: 'first' })
      const failed = { name: 'PreconditionFailed' }
      await assert.rejects(send('PutObject', { Key: 'a', Body: 'x', IfMatch: '"other"' }), failed)
      await assert.rejects(send('PutObject', { Key: 'b', Body: 'x', IfMatch: ETag }), { name: 'NoSuchKey' })
      await send('PutObject', { Key: 'a', Body: 'second', IfMatch: ETag })
      await assert.rejects(send('GetObject', { Key: 'a', IfMatch: ETag }))
      close()
    }))
})

describe('Google Cloud Storage', () => {
  test('takes a service account’s key: its claims are signed, checked and changed for a token', () =>
    withSandbox('gcs', [], async (server) => {
      const text = String(streamOf(server, 'lake-by-key')['credentials'])
      const { token_uri: url } = JSON.parse(text) as { token_uri: string }
      const identity = await gcsIdentity({
        bucket: 'any',
        credentials: new Secret(text, (secret) => secret),
      })
      // Google's library asks Google, whatever the key file says: it is led to the sandbox.
      const client = identity?.['authClient'] as {
        readonly transporter: { readonly interceptors: { readonly request: { add(own: object): void } } }
        getRequestHeaders(): Promise<Headers>
      }
      client.transporter.interceptors.request.add({
        resolved: async (asked: object) => Object.assign(asked, { url: new URL(url) }),
      })
      const headers = await client.getRequestHeaders()
      const list = await fetch(`${server.urls['gcs']}/storage/v1/b/audit-lake/o`, { headers })
      assert.equal(list.status, 200)
    }))
})

describe('Azure Blob Storage', () => {
  const azure = '@azure/storage-blob'
  async function sasOf({ account, accountKey }: JsonObject, permissions: string, expiresOn: Date) {
    const sdk = await loadPackage(azure, 'these tests')
    const parse = (name: string, text: string): unknown =>
      (classOf<object>(sdk, name, azure) as unknown as { parse(text: string): unknown }).parse(text)
    const sign = sdk['generateAccountSASQueryParameters'] as (values: object, key: object) => object
    const key = new (classOf<object>(sdk, 'StorageSharedKeyCredential', azure))(account, accountKey)
    const values = {
      expiresOn,
      permissions: parse('AccountSASPermissions', permissions),
      services: 'b',
      resourceTypes: 'co',
    }
    return String(sign(values, key))
  }

  test('takes a shared access signature, in force and for what it allows', () =>
    withSandbox('azure-blob', [], async (server) => {
      const { accountKey, ...place } = streamOf(server)
      const later = new Date(Date.now() + 3_600_000)
      const sas = (permissions: string, until = later) =>
        sasOf({ ...place, accountKey: accountKey ?? '' }, permissions, until)
      await withStore('azure-blob', { ...place, sasToken: await sas('rcwl') }, async (store) => {
        assert.deepEqual(await writeOnce(store, object('a'), signal), { isNew: true })
        await store.probe(signal)
      })
      for (const token of [await sas('rl', new Date(Date.now() - 1000)), await sas('r')]) {
        await withStore('azure-blob', { ...place, sasToken: token }, async (store) => {
          await assert.rejects(store.probe(signal), AuthError)
        })
      }
    }))

  test('an emulator that is older than the SDK is told as wrong settings, at once', () =>
    withSandbox('azure-blob', ['azure-blob:api-version=2020-10-02'], (server) =>
      withStore('azure-blob', streamOf(server), async (store) => {
        await assert.rejects(store.probe(signal), RemoteConfigError)
        assert.equal(store.requests(), 1)
      }),
    ))
})
