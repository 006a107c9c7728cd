import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// The SDKs are the users' own to install; here they lie beside these tests, and the program's imports are led to them.
const HERE = pathToFileURL(join(import.meta.dirname, 'package.json')).href
const SDKS =
  /^(?:@aws-sdk\/(?:client-s3|credential-providers)|@google-cloud\/storage|google-auth-library|@azure\/(?:storage-blob|identity))$/

registerHooks({
  resolve(specifier, context, next) {
    return next(specifier, SDKS.test(specifier) ? { ...context, parentURL: HERE } : context)
  },
})
