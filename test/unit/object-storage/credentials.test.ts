import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AuthError, UnavailableError } from '../../../src/core/errors.ts'
import { errorOf, isRetryable, problemOf } from '../../../src/storage/objects/problem.ts'

const attempted = { service: 'S3', operation: 'list s3://b/', permission: 's3:ListBucket', now: 0 }

/** What the SDK passes on when the web identity token's file is missing. */
function readingFails(path: string): unknown {
  try {
    return readFileSync(path)
  } catch (error) {
    return error
  }
}

test('a token file that is missing is a matter of credentials, and is not tried again', () => {
  for (const path of [
    `${import.meta.dirname}/no-such-token`,
    import.meta.dirname,
    `${import.meta.filename}/token`,
  ]) {
    const error = readingFails(path)
    assert.equal(isRetryable(problemOf(error, 0)), false)
    const shown = errorOf(error, attempted)
    assert.ok(shown instanceof AuthError, shown.message)
    assert.match(shown.message, /no credentials were found to list s3:\/\/b\/ \(E[A-Z]+: /)
  }
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  assert.equal(isRetryable(problemOf(reset, 0)), true)
  assert.ok(errorOf(reset, attempted) instanceof UnavailableError)
})
