import { globSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Plugin } from 'esbuild'

// A file goes into one chunk with those that the same entries reach, and no others: sixty chunks of a file or two were loaded before the
// first request, and each takes a quarter of a millisecond to find, read and link. What one command needs nearly every other needs as well,
// so whoever needs a part of a group is made to reach all of it, and it comes as one chunk.

/** What whoever reads or sends needs. */
const TOGETHER = [
  'src/core/{action-family,buffers,display-width,duration,errors,escape-text,event,event-scanner,events-of,filter,free-bytes,http}.ts',
  'src/core/{instant,json-*,outlines,page-values,secret,shell-word,span-list,suggest,time-range,time-words,zone}.ts',
  'src/http/{address,next-link,proxy,redirect,reply,retry-delay}.ts',
]
/** What every command needs that reads the configuration. */
const COMMANDS = [
  'src/cli/{entries,entry-actions,entry-builder,event-printer,flags,flat-memory,job,print-rows,prompt,reshape,settings,time-text}.ts',
  'src/config/{environment,json-text,keychain,mask,problems,schema,schema-walk,secrets}.ts',
  'src/formats/{registry,table}.ts',
]
/** What `--version`, `--help` and the shell's completion load, which need none of it, and what the groups are made of. */
const APART =
  /^src\/(?:main\.ts|core\/|http\/(?!client)|cli\/(?:main|program|invocation|environment-options|tree|report-error|usage-error|complete-values)\b)/

/** Loaded before a command asks for anything. */
const EARLY = /^src\/cli\/(?:start-runtime|runtime|log|output|progress-line|commands\/registry)\.ts$/

/** For a build that splits: fewer chunks. */
export function gathered(root: string): Plugin {
  const filesOf = (patterns: readonly string[]) => globSync([...patterns], { cwd: root }).sort()
  const groups: Readonly<Record<string, readonly string[]>> = {
    together: filesOf(TOGETHER),
    commands: filesOf(COMMANDS),
  }
  return {
    name: 'gathered',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^gathered:/ }, ({ path }) => ({
        path: path.slice('gathered:'.length),
        namespace: 'gathered',
      }))
      onLoad({ filter: /.*/, namespace: 'gathered' }, ({ path }) => ({
        resolveDir: root,
        contents: (groups[path] ?? []).map((file) => `import './${file}'`).join('\n'),
      }))
      onLoad({ filter: /[\\/]src[\\/].*\.tsx?$/ }, ({ path }) => {
        const file = relative(root, path).replaceAll('\\', '/')
        if (APART.test(file)) return undefined
        const isCommand =
          file.startsWith('src/cli/') && !EARLY.test(file) && !groups['commands']?.includes(file)
        const needs = `import 'gathered:together';${isCommand ? "import 'gathered:commands';" : ''}`
        // On the first line, so that the others keep their numbers.
        return {
          loader: file.endsWith('x') ? 'tsx' : 'ts',
          contents: `${needs}${readFileSync(path, 'utf8')}`,
        }
      })
    },
  }
}
