// The first code of the single executable. It must be CommonJS, and Ink needs ES modules with top-level await: so the files of dist/ are
// assets, and Node's own loader is handed them as if they lay beside the executable. A node_modules folder there is found as well: the
// keychain and the cloud SDKs, which cannot be part of one file, are installed into it.
const { createRequire, registerHooks } = require('node:module')
const { getRawAsset } = require('node:sea')
const { pathToFileURL } = require('node:url')

const BASE = new URL('auditctl-dist/', pathToFileURL(process.execPath)).href
// import() of this file knows Node's own modules only; that of a module which the loader has loaded knows all of them.
const DOOR = `${BASE}door.cjs`

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === DOOR) return { url: DOOR, format: 'commonjs', shortCircuit: true }
    const inside = specifier.startsWith('.') && context.parentURL?.startsWith(BASE)
    if (!inside) return next(specifier, context)
    return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
  },
  load(url, context, next) {
    if (url === DOOR) {
      const source = `module.exports = () => import('./main.js')`
      return { format: 'commonjs', source, shortCircuit: true }
    }
    if (!url.startsWith(BASE)) return next(url, context)
    return {
      format: 'module',
      source: new Uint8Array(getRawAsset(url.slice(BASE.length))),
      shortCircuit: true,
    }
  },
})

// The demo starts the program anew, as `node program words`: here both are the executable.
process.argv[1] = process.execPath
const words = process.argv.slice(2)
if (words[0] === process.execPath) words.shift()

createRequire(BASE)(DOOR)()
  .then(({ main }) => main(words))
  .then((exitCode) => {
    process.exitCode = exitCode
  })
